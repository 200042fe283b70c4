"""Addresses of people's own pages and of the stewards' list."""

from django.urls import path

from accounts import views

app_name = "people"

urlpatterns = [
    path("me/", views.work, name="work"),
    path("me/profile/", views.profile, name="profile"),
    path("me/end-token", views.end_token, name="end-token"),
    path("me/standing/", views.standing, name="standing"),
    path("", views.people, name="list"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/make-steward", views.make_steward, name="make-steward"),
    path("<int:pk>/unmake-steward", views.unmake_steward, name="unmake-steward"),
    path("<int:pk>/appoint", views.appoint, name="appoint"),
    path("<int:pk>/dismiss", views.dismiss, name="dismiss"),
    path("<int:pk>/limit", views.limit, name="limit"),
    path("<int:pk>/suspend", views.suspend, name="suspend"),
    path("<int:pk>/restore", views.restore, name="restore"),
    path("<int:pk>/grant", views.grant, name="grant"),
]
