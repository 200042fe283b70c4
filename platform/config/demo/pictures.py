"""The demonstration's pictures: free ones that come with scikit-image, aged by our own code."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DemoPhoto:
    """One picture: where it comes from, how it is aged, what is written on it, how far it got."""

    source: str
    licence: str
    severity: float
    stage: str
    seed: int
    words: dict[str, str] = field(default_factory=dict)


def _words(
    en: tuple[str, str, str], zh: tuple[str, str, str], *, date: str, identifier: str
) -> dict[str, str]:
    title, place, description = en
    title_zh, place_zh, description_zh = zh
    return {
        "title_en": title,
        "place_en": place,
        "description_en": description,
        "title_zh": title_zh,
        "place_zh": place_zh,
        "description_zh": description_zh,
        "date_edtf": date,
        "identifier": identifier,
    }


PHOTOS = (
    DemoPhoto(
        "astronaut",
        "NASA, public domain",
        0.55,
        "published",
        11,
        {
            **_words(
                (
                    "Portrait of an astronaut",
                    "Houston, Texas",
                    "Official portrait in an orange launch suit, a shuttle model to the left.",
                ),
                (
                    "宇航员肖像",
                    "得克萨斯州休斯敦",
                    "身穿橙色发射服的正式肖像，左侧是航天飞机模型。",
                ),
                date="1999",
                identifier="demo-01",
            ),
            "people_en": "Eileen Collins",
            "people_zh": "艾琳·柯林斯",
        },
    ),
    DemoPhoto(
        "camera",
        "Lav Varshney, CC0",
        0.6,
        "retouched",
        12,
        _words(
            ("The man with the camera", "Cambridge, Massachusetts", "A photographer at work."),
            ("持相机的人", "马萨诸塞州剑桥", "一位正在工作的摄影师。"),
            date="2019?",
            identifier="demo-02",
        ),
    ),
    DemoPhoto(
        "chelsea",
        "Stéfan van der Walt, CC0",
        0.5,
        "returned",
        13,
        _words(
            ("The cat Chelsea", "At home", "She looked straight into the lens."),
            ("名叫切尔西的猫", "家中", "它正看着镜头。"),
            date="201X",
            identifier="demo-03",
        ),
    ),
    DemoPhoto(
        "coffee",
        "Rachel Michetti, CC0",
        0.45,
        "in-review",
        14,
        _words(
            ("A cup of coffee", "Pikolo Espresso Bar", "Cup, saucer and spoon on a wooden table."),
            ("一杯咖啡", "皮科洛咖啡馆", "木桌上的杯子、茶碟和小勺。"),
            date="2013",
            identifier="demo-04",
        ),
    ),
    DemoPhoto(
        "coins",
        "Brooklyn Museum, no known copyright",
        0.5,
        "in-review",
        15,
        _words(
            ("Greek coins from Pompeii", "Pompeii", "Twenty-four coins laid out in rows."),
            ("庞贝出土的希腊钱币", "庞贝", "二十四枚钱币成行摆放。"),
            date="19XX",
            identifier="demo-05",
        ),
    ),
    DemoPhoto(
        "rocket",
        "SpaceX, CC0",
        0.6,
        "claimed",
        16,
        _words(
            ("A rocket on the pad", "Cape Canaveral", "Minutes before the launch."),
            ("发射台上的火箭", "卡纳维拉尔角", "发射前几分钟。"),
            date="2015-02-11",
            identifier="demo-06",
        ),
    ),
    DemoPhoto(
        "moon",
        "NASA, public domain",
        0.4,
        "waiting",
        17,
        _words(
            ("Craters of the Moon", "The Moon", "A low sun draws long shadows."),
            ("月球环形山", "月球", "低角度的阳光投下长长的影子。"),
            date="196X",
            identifier="demo-07",
        ),
    ),
    DemoPhoto(
        "clock",
        "Stéfan van der Walt, public domain",
        0.7,
        "waiting",
        18,
        _words(
            ("A clock in motion", "", "The photographer moved; the clock did not."),
            ("晃动中的时钟", "", "动的是拍摄者，而不是时钟。"),
            date="2012~",
            identifier="demo-08",
        ),
    ),
    DemoPhoto(
        "hubble_deep_field",
        "NASA, public domain",
        0.35,
        "waiting",
        19,
        _words(
            ("The Hubble deep field", "Ursa Major", "Nearly everything here is a galaxy."),
            ("哈勃深空", "大熊座", "画面中几乎每个光点都是一个星系。"),
            date="1995-12",
            identifier="demo-09",
        ),
    ),
    DemoPhoto(
        "motorcycle",
        "Daniel Scharstein and others, CC0",
        0.65,
        "waiting",
        20,
        _words(
            ("A motorcycle in the workshop", "Middlebury, Vermont", "Left view of a stereo pair."),
            ("车间里的摩托车", "佛蒙特州米德尔伯里", "立体像对的左图。"),
            date="2014",
            identifier="demo-10",
        ),
    ),
)
