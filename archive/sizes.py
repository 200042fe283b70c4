"""The sizes in which every picture is kept for looking at. Light: pages import it."""

# Long sides in pixels; a smaller picture is kept as it is, never enlarged.
SIDES = (400, 800, 1600, 2560)
FULL = "full"
# The largest JPEG that browsers and the zoom take gladly.
FULL_SIDE = 8192
NAMES = (*(f"{side}.jpg" for side in SIDES), f"{FULL}.jpg")
# The copy of a mask or map that lies over a picture on a page.
MAP, MAP_SIDE = "map.png", 2560
