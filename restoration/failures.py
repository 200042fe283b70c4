"""What was refused at the door, or failed, by its code: what happened, and what to do about it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise

SAFE = _("Your draft and all versions are safe.")
OUR_FAULT = _(
    "Something went wrong on our side, not on yours. Try again in a moment; if it happens again, "
    "tell the curator."
)
PROBLEMS: dict[str, Sentence] = {
    "no-steps": _("No step is switched on. Choose at least one."),
    "prompt-required": _("“%(step)s” needs your words. Describe the photo, or leave the step out."),
    "no-colour-hints": _(
        "“%(step)s” needs colours. Place one, outline an area, or leave the step out."
    ),
    "unknown-colour": _("We do not know the colour “%(word)s”. %(near)s"),
    "setting-range": _("“%(setting)s” in “%(step)s” must lie between %(low)s and %(high)s."),
    "setting-choice": _(
        "“%(value)s” is not there for “%(setting)s” in “%(step)s”. Choose another: %(choices)s."
    ),
    "setting-type": _("“%(setting)s” in “%(step)s” is not a value we understand."),
    "unknown-setting": _("“%(step)s” has no setting “%(setting)s”."),
    "unknown-step": _("There is no step “%(step)s”."),
    "unknown-backend": _("“%(step)s” cannot be done by “%(backend)s”."),
    "unknown-field": _("Something is not known here: %(fields)s. These are: %(known)s."),
    "step-twice": _("“%(step)s” was asked for twice."),
    "wrong-type": _("“%(field)s” is missing, or not of the right kind."),
    "text-too-long": _("“%(field)s” is too long; it may have %(longest)s characters."),
    "bad-seed": _("The seed must be a whole number from 0 to %(largest)s."),
    "bad-sha256": _("The painted mask could not be found."),
    "too-many-dabs": _("There are %(given)s colours; %(most)s is the most."),
    "too-many-regions": _("There are %(given)s areas; %(most)s is the most."),
    "too-many-faces": _("There are %(given)s boxes around faces; %(most)s is the most."),
    "face-box": _("A box around a face lies outside the picture."),
    "dab-radius": _("A colour's spot is too small or too large."),
    "region-points": _("An outlined area needs three corners at least and %(most)s at most."),
    "region-colour": _("An outlined area needs one colour."),
    "bad-place": _("A colour lies outside the picture."),
    "bad-rgb": _("A colour could not be read."),
    "unknown-mask": _("The painted mask could not be found."),
    "mask-not-png": _("The mask is not a PNG of 8 bits."),
    "mask-other-shape": _(
        "The mask has other proportions than the photo: %(got)s pixels for a photo of %(expected)s."
    ),
    "mask-file-too-large": _("The mask is larger than the photo allows."),
    "mask-too-large": _(
        "The mask covers %(share)s of the picture, and %(most)s is the most. Paint only what is "
        "damaged."
    ),
    "changed-outside-mask": OUR_FAULT,
    "not-the-same-small": OUR_FAULT,
    "luma-moved": OUR_FAULT,
    "another-shape": OUR_FAULT,
    "file-too-large": _("The file is too large; %(most)s megabytes is the most."),
    # Pictures that do not fit the engine.
    "image-too-small": _("The picture is too small to work on: %(width)s by %(height)s pixels."),
    "image-too-large": _("The picture is too large for this step: %(width)s by %(height)s pixels."),
    "image-dtype": OUR_FAULT,
    "image-shape": OUR_FAULT,
    "image-range": OUR_FAULT,
    "mask-dtype": OUR_FAULT,
    "mask-size": OUR_FAULT,
    "bad-bits": OUR_FAULT,
    "step-output": OUR_FAULT,
    "unreadable-image": _("The file could not be read as a picture. Save it again as TIFF or PNG."),
    "backend-unavailable": _(
        "The machine that took this run cannot do “%(step)s”. Try again later."
    ),
    "network-missing": _(
        "The network “%(network)s” is not on that machine. "
        "Ask who runs the site to install it again."
    ),
    "network-altered": _(
        "The file of the network “%(network)s” is not the one that was shipped, so it was not "
        "used. Ask who runs the site to install it again."
    ),
    "network-answer": OUR_FAULT,
    "out-of-memory": _(
        "The machine ran out of memory. Leave the heaviest step out, or try again later."
    ),
    "out-of-memory-size": _(
        "“%(step)s” needs about %(needs_gb)s GB at this size, and the machine has %(has_gb)s GB. A "
        "picture of %(advised_pixels)s megapixels may get through. Leave the step out, or tell the "
        "steward."
    ),
    "out-of-memory-smaller": _(
        "“%(step)s” ran out of memory at this size. A picture of %(advised_pixels)s megapixels may "
        "get through. Leave the step out, or try again later."
    ),
    "out-of-memory-model": _(
        "The model for “%(step)s” needs about %(needs_gb)s GB, and the machine has %(has_gb)s GB. "
        "Choose a smaller model, leave the step out, or tell the steward."
    ),
    # What a generative model did instead of its work.
    "model-missing": _("No model for “%(step)s” is on that machine. Leave the step out."),
    "model-refused": _(
        "The model for “%(step)s” cannot be used as it lies there. Tell the steward."
    ),
    "library-missing": _(
        "The machine that took this run cannot run %(label)s: %(library)s does not work there. "
        "Choose another model, or tell the steward."
    ),
    "model-broken": _("The model for “%(step)s” could not be loaded. Tell the steward."),
    "weights-changed": _(
        "The model's file %(file)s is not what it should be, so it was not used. Tell the steward."
    ),
    "weights-missing": _("The model's file %(file)s is missing. Tell the steward."),
    "weights-unlisted": _(
        "The model's folder holds a file that is not on its list: %(file)s. Tell the steward."
    ),
    "weights-pickled": _(
        "The model's folder holds a file of a kind that is never opened: %(file)s. Tell the "
        "steward."
    ),
    "weights-linked": _(
        "The model's folder holds a link to another folder, which is never followed: %(file)s. "
        "Tell the steward."
    ),
    "weights-swapped": _("The model was being exchanged for another version. Try again."),
    "weights-unlocked": _("Nobody has checked the model's files yet. Tell the steward."),
    "device-lost": _("The graphics card of that machine failed. Try again later."),
    "took-too-long": _(
        "It worked for more than %(minutes)s minutes and was stopped. Leave the heaviest step out, "
        "or run the steps one after another."
    ),
    "batch": OUR_FAULT,
    "wrong-size": OUR_FAULT,
    "sizes-differ": OUR_FAULT,
    "not-finite": OUR_FAULT,
    "leaked": OUR_FAULT,
    "model-failed": _(
        "The model cannot work on this picture. Choose another model, or leave the step out."
    ),
    "blank-result": _("The model drew nothing. Try again, or change your words a little."),
    "reframed": _(
        "The model moved the picture instead of redrawing it, so its work was thrown away. Try "
        "again with less strength where the model has one, with other words, or with another model."
    ),
    "cancelled": _("The run was cancelled."),
    "worker-lost": _("The machine that worked on it went silent three times. Try again later."),
    "worker-leaving": _("The machines that worked on it were stopped again and again. Try later."),
    "storage-away": _("The place where the pictures lie could not be reached. Try again later."),
    "database-away": OUR_FAULT,
    "disk-full": _("The machine that worked on it has no room left. Tell the steward."),
    "our-fault": OUR_FAULT,
    # A hand retouch that does not belong.
    "wrong-proportions": _(
        "The file has other proportions than the photo: %(got)s instead of %(expected)s pixels. "
        "Do not crop or stretch it; save it at its full size and upload it again."
    ),
    "cropped": _(
        "The file shows only a part of the photo. Undo the crop in your program, save the whole "
        "picture and upload it again."
    ),
    "colour-added": _(
        "This collection does not want colour added, and %(share)s percent of the file has colour "
        "that the photo does not have. Take the colour out and upload it again."
    ),
    "border-added": _(
        "The file has a border that the photo does not have. Remove it, save the picture alone and "
        "upload it again."
    ),
    "rotated": _(
        "The file is turned by %(degrees)s degrees. Turn it back, save it and upload it again."
    ),
    "mirrored": _("The file is mirrored. Flip it back, save it and upload it again."),
    "another-picture": _(
        "The file shows another picture than this one. Check that you chose the right file."
    ),
    "too-small": _(
        "The file is too small: %(got)s pixels for a photo of %(expected)s. Save it at its full "
        "size and upload it again."
    ),
    "too-large": _("The file is too large: %(got)s pixels for a photo of %(expected)s."),
    "blank": _("The file shows nothing: it is of one colour. Check how it was saved."),
}
