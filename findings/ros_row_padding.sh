#!/usr/bin/env bash
# rosbags-image ignores the row length of a ROS picture: padded rows come out sheared.
#
# Versions: rosbags-image 0.10.4, rosbags 0.11.9.
# Guess:    message_to_cvimage honours `step` of sensor_msgs/Image (bytes from one row to the
#           next), which is larger than width * channels where a driver aligns rows.
# Happens:  it takes the first height * width * channels bytes as if rows followed each other. The
#           picture has the right size and type; every row is shifted against the one above, the
#           padding shows as pixels, and the last rows are missing. Nothing is raised.
# Matters:  pictures of cameras whose width is not a multiple of 4, 32 or 64 look like a slanted
#           smear, and a network still answers something. Take the rows apart by `step` yourself.
# Seen:     step 192 of 192: 0 of 40 rows wrong, 0 pixels of padding in the picture
#           step 256 of 192: 30 of 40 rows wrong, 620 pixels of padding in the picture
set -euo pipefail
packages="rosbags-image==0.10.4 rosbags==0.11.9 opencv-python-headless==5.0.0.93 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'EOF'
import numpy as np
from rosbags.image import message_to_cvimage
from rosbags.typesys import Stores, get_typestore

HEIGHT, WIDTH, PADDING = 40, 64, 99
store = get_typestore(Stores.ROS2_HUMBLE)
Header = store.types["std_msgs/msg/Header"]
Image = store.types["sensor_msgs/msg/Image"]
Time = store.types["builtin_interfaces/msg/Time"]


def wrong_rows(step: int) -> tuple[int, int]:
    """Rows that differ, and pixels of padding, of a picture written, read back, and converted."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, : WIDTH // 2] = (0, 0, 200)  # BGR: red left, blue right
    picture[:, WIDTH // 2 :] = (200, 0, 0)
    rows = np.full((HEIGHT, step), PADDING, np.uint8)
    rows[:, : WIDTH * 3] = picture.reshape(HEIGHT, -1)
    message = Image(header=Header(stamp=Time(sec=0, nanosec=0), frame_id="camera"), height=HEIGHT,
                    width=WIDTH, encoding="bgr8", is_bigendian=0, step=step, data=rows.reshape(-1))
    raw = store.serialize_cdr(message, "sensor_msgs/msg/Image")
    message = store.deserialize_cdr(raw, "sensor_msgs/msg/Image")
    assert message.step == step
    shown = message_to_cvimage(message)
    assert shown.shape == picture.shape
    return (int((shown != picture).any(axis=(1, 2)).sum()),
            int((shown == PADDING).all(axis=2).sum()))


tight, padded = wrong_rows(WIDTH * 3), wrong_rows(WIDTH * 4)
for step, (rows, pixels) in ((WIDTH * 3, tight), (WIDTH * 4, padded)):
    print(f"step {step} of {WIDTH * 3}: {rows} of {HEIGHT} rows wrong,"
          f" {pixels} pixels of padding in the picture")
same = tight == (0, 0) and padded[0] > HEIGHT / 2 and padded[1] > 0
raise SystemExit(0 if same else "changed: no longer as described on top")
EOF
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
