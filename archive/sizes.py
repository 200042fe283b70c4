"""The sizes in which every picture is kept for looking at. Light: pages import it."""

# Long sides in pixels; a smaller picture is kept as it is, never enlarged.
SIDES = (400, 800, 1600, 2560)
FULL = "full"
# The largest JPEG that browsers and the zoom take gladly.
FULL_SIDE = 8192
NAMES = (*(f"{side}.jpg" for side in SIDES), f"{FULL}.jpg")
# The copy of a mask or map that lies over a picture on a page.
MAP, MAP_SIDE = "map.png", 2560

# Raise it with every change of what derivatives and tiles look like: the sweep makes them anew in
# the background, and what was made before is shown until then. 1 is what there was before rows
# said so.
PIPELINE = 1
# The side of a tile, and the largest side in which a whole picture is offered beside its tiles.
TILE, WHOLE_SIDE = 512, SIDES[-1]


def tiles_name(pipeline: int) -> str:
    """The derivative that holds all tiles of a working file, as that pipeline made them."""
    return f"tiles-{pipeline}.zip"


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture whose long side is at most `side`, as libvips rounds it."""
    scale = min(1.0, side / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))
