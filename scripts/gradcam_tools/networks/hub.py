"""The hub of models, huggingface.co, where timm's and transformers' weights lie."""

from __future__ import annotations

import logging

ASKED_FOR = "timm/resnet18.a1_in1k"  # any model that is there
TIMEOUT_S = 20


def go_offline_without_hub() -> None:
    """Asks the hub once, with a time limit, and goes offline if it does not answer: its client would
    repeat each request for a minute. Weights that were fetched before are found offline, too."""
    import huggingface_hub

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        huggingface_hub.HfApi().model_info(ASKED_FOR, timeout=TIMEOUT_S)
    except Exception:  # what the client raises depends on what fails below it
        huggingface_hub.constants.HF_HUB_OFFLINE = True
