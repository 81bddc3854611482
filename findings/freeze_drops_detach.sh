#!/usr/bin/env bash
# Freezing a TorchScript network drops its detach(): the numbers stay, the gradients become others.
#
# Versions: torch 2.15.0.
# Guess:    torch.jit.freeze() folds constants and keeps what the network computes; gradients with
#           respect to the input are those of the network before, as detach() is part of the graph.
# Happens:  detach() is removed as if it did nothing. A straight-through estimator,
#           x + (round(x) - x).detach(), has gradient 0 instead of 1; a value that is held fixed,
#           x * sigmoid(x).detach(), gets the gradient of both factors.
# Matters:  saliency, Grad-CAM and attacks on frozen files of networks trained with quantisation,
#           vector codes or stopped gradients: no error, other maps, of a rounded network none at all.
# Seen:     rounded  eager [1.0, 1.0, 1.0]  frozen [0.0, 0.0, 0.0]
#           held     eager [0.574, 0.832, 0.1]  frozen [0.648, 1.056, -0.098]
set -euo pipefail
packages="torch==2.15.0 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages (about 3 GB)"
  exit 77
fi

cat >"$work/finding.py" <<'PY'
import warnings

import torch

warnings.simplefilter("ignore")


class Rounded(torch.nn.Module):
    def forward(self, x):
        return x + (torch.round(x) - x).detach()


class Held(torch.nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x).detach()


def gradient(net):
    x = torch.tensor([0.3, 1.6, -2.2], requires_grad=True)
    output = net(x)
    slope = torch.autograd.grad(output.sum(), x)[0]
    return output.detach(), [round(number, 3) for number in slope.tolist()]


same = True
for name, net in (("rounded", Rounded().eval()), ("held", Held().eval())):
    frozen = torch.jit.freeze(torch.jit.trace(net, torch.rand(3)))
    output, eager = gradient(net)
    frozen_output, slope = gradient(frozen)
    print(f"{name:8} eager {eager}  frozen {slope}")
    same &= torch.allclose(output, frozen_output) and eager != slope
raise SystemExit(0 if same else "changed: no longer as described on top")
PY
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
