"""The addresses for programs."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path

from api.views import (
    arranging,
    claims,
    collections,
    docs,
    exhibits,
    jobs,
    people,
    photos,
    publications,
    reviews,
    steps,
    versions,
)

app_name = "api"

PHOTO = "photos/<slug:ref>/"
CLAIM, JOB, VERSION = "claims/<int:pk>/", "jobs/<int:pk>/", "versions/<int:pk>/"
REVIEW, PUBLICATION = "reviews/<int:pk>/", "publications/<int:pk>/"
EXHIBIT, ROOM = "exhibits/<slug:slug>/", "rooms/<int:pk>/"

patterns = [
    path("token", people.TokenView.as_view(), name="token"),
    path("me", people.MeView.as_view(), name="me"),
    path("collections", collections.CollectionsView.as_view(), name="collections"),
    path("collections/<slug:slug>", collections.CollectionView.as_view(), name="collection"),
    path("collections/<slug:slug>/scans", collections.ScansView.as_view(), name="scans"),
    path("photos", photos.PhotosView.as_view(), name="photos"),
    path("photos/<slug:ref>", photos.PhotoView.as_view(), name="photo"),
    path(f"{PHOTO}original", photos.OriginalView.as_view(), name="photo-original"),
    path(f"{PHOTO}pages", photos.PagesView.as_view(), name="photo-pages"),
    path(f"{PHOTO}hold", photos.HoldView.as_view(), name="photo-hold"),
    path(f"{PHOTO}unhold", photos.UnholdView.as_view(), name="photo-unhold"),
    path(f"{PHOTO}withdraw", photos.WithdrawPhotoView.as_view(), name="photo-withdraw"),
    path(f"{PHOTO}claim", claims.ClaimPhotoView.as_view(), name="photo-claim"),
    path(f"{PHOTO}draft", claims.DraftView.as_view(), name="draft"),
    path(f"{PHOTO}masks", jobs.MaskView.as_view(), name="masks"),
    path(f"{PHOTO}jobs", jobs.PhotoJobsView.as_view(), name="photo-jobs"),
    path(f"{PHOTO}versions", versions.PhotoVersionsView.as_view(), name="photo-versions"),
    path(f"{PHOTO}pictures/<str:name>", photos.ScanPictureView.as_view(), name="photo-picture"),
    path("claims", claims.ClaimsView.as_view(), name="claims"),
    path("claims/<int:pk>", claims.ClaimView.as_view(), name="claim"),
    path(f"{CLAIM}beat", claims.BeatClaimView.as_view(), name="claim-beat"),
    path(f"{CLAIM}extend", claims.ExtendClaimView.as_view(), name="claim-extend"),
    path(f"{CLAIM}release", claims.ReleaseClaimView.as_view(), name="claim-release"),
    path(f"{CLAIM}revoke", claims.RevokeClaimView.as_view(), name="claim-revoke"),
    path("steps", steps.StepsView.as_view(), name="steps"),
    path("jobs", jobs.JobsView.as_view(), name="jobs"),
    path("jobs/<int:pk>", jobs.JobView.as_view(), name="job"),
    path(f"{JOB}cancel", jobs.CancelJobView.as_view(), name="job-cancel"),
    path("versions", versions.VersionsView.as_view(), name="versions"),
    path("versions/<int:pk>", versions.VersionView.as_view(), name="version"),
    path(f"{VERSION}download", versions.DownloadView.as_view(), name="version-download"),
    path(f"{VERSION}pictures/<str:name>", versions.PictureView.as_view(), name="version-picture"),
    path(f"{VERSION}maps/<slug:name>", versions.MapView.as_view(), name="version-map"),
    path(f"{VERSION}retouch", versions.RetouchView.as_view(), name="version-retouch"),
    path(f"{VERSION}submit", versions.SubmitView.as_view(), name="version-submit"),
    path(f"{VERSION}withdraw", versions.WithdrawView.as_view(), name="version-withdraw"),
    path(f"{VERSION}review", reviews.OpenReviewView.as_view(), name="version-review"),
    path("desk", reviews.DeskView.as_view(), name="desk"),
    path("reviews", reviews.ReviewsView.as_view(), name="reviews"),
    path("reviews/<int:pk>", reviews.ReviewView.as_view(), name="review"),
    path(f"{REVIEW}beat", reviews.BeatReviewView.as_view(), name="review-beat"),
    path(f"{REVIEW}release", reviews.ReleaseReviewView.as_view(), name="review-release"),
    path(f"{REVIEW}accept", reviews.AcceptView.as_view(), name="review-accept"),
    path(f"{REVIEW}return", reviews.ReturnView.as_view(), name="review-return"),
    path(f"{REVIEW}decline", reviews.DeclineView.as_view(), name="review-decline"),
    path("exhibits", exhibits.ExhibitsView.as_view(), name="exhibits"),
    path("exhibits/<slug:slug>", exhibits.ExhibitView.as_view(), name="exhibit"),
    path(f"{EXHIBIT}open", arranging.OpenExhibitView.as_view(), name="exhibit-open"),
    path(f"{EXHIBIT}close", arranging.CloseExhibitView.as_view(), name="exhibit-close"),
    path(f"{EXHIBIT}rooms", arranging.RoomsView.as_view(), name="exhibit-rooms"),
    path("rooms/<int:pk>", arranging.RoomView.as_view(), name="room"),
    path(f"{ROOM}move", arranging.MoveRoomView.as_view(), name="room-move"),
    path(f"{ROOM}placements", arranging.HungView.as_view(), name="room-placements"),
    path(f"{ROOM}arrange", arranging.ArrangeView.as_view(), name="room-arrange"),
    path("placements/<int:pk>", arranging.PlacementView.as_view(), name="placement"),
    path("publications", publications.PublicationsView.as_view(), name="publications"),
    path("publications/<int:pk>", publications.PublicationView.as_view(), name="publication"),
    path(f"{PUBLICATION}retract", publications.RetractView.as_view(), name="retract"),
    path(f"{PUBLICATION}suspend", publications.SuspendView.as_view(), name="suspend"),
    path(f"{PUBLICATION}resume", publications.ResumeView.as_view(), name="resume"),
    path("schema", docs.SchemaView.as_view(), name="schema"),
    path("docs", login_not_required(docs.docs), name="docs"),
    # Programs that mistype an address get a problem detail too.
    re_path(r"^[\s\S]*$", docs.NothingView.as_view(), name="nothing"),
]
urlpatterns = [
    path("v1/", include(patterns)),
    # Nor does one that asks for another edition, or for none, read pages.
    re_path(r"^[\s\S]*$", docs.NothingView.as_view(), name="nowhere"),
]
