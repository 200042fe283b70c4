"""Addresses of people's own pages and of the stewards' list."""

from django.urls import path

from accounts import own_views, views, way_in

app_name = "people"

urlpatterns = [
    path("me/", views.work, name="work"),
    path("me/profile/", views.profile, name="profile"),
    path("me/end-token", views.end_token, name="end-token"),
    path("me/standing/", views.standing, name="standing"),
    path("me/hide-name", own_views.hide_name, name="hide-my-name"),
    path("me/show-name", own_views.show_name, name="show-my-name"),
    path("me/sign-out-elsewhere", own_views.sign_out_elsewhere, name="sign-out-elsewhere"),
    path("me/data", own_views.data, name="data"),
    path("me/close/", own_views.close, name="close"),
    path("privacy/", own_views.privacy, name="privacy"),
    path("", views.people, name="list"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/make-steward", views.make_steward, name="make-steward"),
    path("<int:pk>/unmake-steward", views.unmake_steward, name="unmake-steward"),
    path("<int:pk>/appoint", views.appoint, name="appoint"),
    path("<int:pk>/dismiss", views.dismiss, name="dismiss"),
    path("<int:pk>/limit", views.limit, name="limit"),
    path("<int:pk>/suspend", views.suspend, name="suspend"),
    path("<int:pk>/grant", views.grant, name="grant"),
    path("<int:pk>/switch-off", views.switch_off, name="switch-off"),
    path("<int:pk>/switch-on", views.switch_on, name="switch-on"),
    path("<int:pk>/hide-name", views.hide_name, name="hide-name"),
    path("<int:pk>/show-name", views.show_name, name="show-name"),
    path("<int:pk>/way-in", way_in.way_in, name="way-in"),
    path("<int:pk>/send-link", way_in.send_link, name="send-link"),
    path("<int:pk>/give-link", way_in.give_link, name="give-link"),
    path("<int:pk>/correct-address", way_in.correct_address, name="correct-address"),
]
