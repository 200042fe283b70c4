"""Reads manifests with KEDA's own models; says what they do not know. Run by the tools' Python."""

import sys
from pathlib import Path

import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject

count = 0
for each in yaml.safe_load_all(Path(sys.argv[1]).read_text(encoding="utf-8")):
    if each["kind"] != "ScaledObject":
        continue
    count += 1
    known = ScaledObject.model_validate(each)
    # The models pass over names that they do not know: those are missing when written again.
    if known.model_dump(by_alias=True, exclude_none=True, mode="json") != each:
        sys.exit(f"{each['metadata']['name']} has names or values that KEDA does not know")
if not count:
    sys.exit("there is no ScaledObject")
