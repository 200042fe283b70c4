"""One lesson a network: its shape, its examples, its loss, and the figures of its card."""

# Where each lesson is made; read by name, so that one is taught without loading the others.
LESSONS = {
    "clean-grey": "restoration.training.lessons.clean:grey",
    "clean-colour": "restoration.training.lessons.clean:colour",
    "colour": "restoration.training.lessons.colour:lesson",
    "fill": "restoration.training.lessons.fill:fill",
    "enlarge": "restoration.training.lessons.enlarge:enlarge",
    "face-check": "restoration.training.lessons.face_check:lesson",
    "faces": "restoration.training.lessons.faces:lesson",
    "damage": "restoration.training.lessons.damage:lesson",
}
