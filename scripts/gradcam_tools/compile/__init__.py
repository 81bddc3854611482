"""From a network to a bundle: the cut at the target layer, OpenVINO's form of what lies in front of
it, and int8."""
