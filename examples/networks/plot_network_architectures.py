"""
==========================================
Compare architectures, find a broken layer
==========================================

Which blocks of a network make the labels smoother, and which do not? We compare a plain and
a residual network on the digits. Then we break a layer of a trained network, and find it.
"""

# %%
# The two networks have eight layers of 48 values, and differ only in the skip connections.

from copy import deepcopy

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from sksmooth import compare_layers
from sksmooth.plotting import LayerSmoothnessDisplay

torch.set_num_threads(1)  # the networks are too small for more
X, y = load_digits(return_X_y=True)
X_train, X_new, y_train, y_new = train_test_split(
    (X / 16).astype("float32"), y, test_size=0.5, stratify=y, random_state=0
)


class Block(nn.Module):
    """A layer of 48 values, added to its input if ``residual``."""

    def __init__(self, residual):
        super().__init__()
        self.linear, self.residual = nn.Linear(48, 48), residual

    def forward(self, x):
        """Apply the layer."""
        change = torch.relu(self.linear(x))
        return x + change if self.residual else change


def train(residual, n_epochs=30):
    torch.manual_seed(0)
    stem = nn.Sequential(nn.Linear(64, 48), nn.ReLU())
    blocks = [Block(residual) for _ in range(8)]
    network = nn.Sequential(stem, *blocks, nn.Linear(48, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    inputs, targets = torch.tensor(X_train), torch.tensor(y_train)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(targets)).split(32):
            loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def accuracy(network):
    with torch.inference_mode():
        return (network(torch.tensor(X_new)).argmax(1).numpy() == y_new).mean()


# %%
# Plain against residual
# ----------------------
#
# Layers are named as in ``network.named_modules()``; here they are the blocks. All of
# them are measured on samples that were not used in training.

layers = ["input"] + [str(i) for i in range(10)]
networks = {"plain": train(residual=False), "residual": train(residual=True)}
frames = {}
for name, network in networks.items():
    frames[name] = compare_layers(network, X_new, y_new, layers, random_state=0)
    print(f"{name}: accuracy {accuracy(network):.3f}")
    print(frames[name][["layer", "alpha", "alpha_low", "alpha_high"]])
display = LayerSmoothnessDisplay.from_frame(frames)
display.ax_.set_title("Digits: smoothness through the blocks")
plt.show()

# %%
# A broken layer
# --------------
#
# In a trained residual network one block is replaced by an untrained one that passes only
# three values. ``loses_smoothness`` marks layers on which the labels are significantly
# less smooth than on the one before; ``loses_to_reference`` those that are worse than the
# same layer of the whole network. Both compare the losses of the same samples.

broken = deepcopy(networks["residual"])
torch.manual_seed(1)
broken[5] = nn.Sequential(nn.Linear(48, 3), nn.ReLU(), nn.Linear(3, 48))
frame = compare_layers(
    broken, X_new, y_new, layers, reference=frames["residual"], random_state=0
)
print(f"accuracy {accuracy(broken):.3f}")
columns = ["layer", "held_out", "difference", "p_value", "loses_smoothness"]
print(frame[[*columns, "loses_to_reference"]])
print(frames["residual"].rise_)
print(frame.rise_)
display = LayerSmoothnessDisplay.from_frame({"whole": frames["residual"], "broken": frame})
display.ax_.set_title("Digits: one block of the residual network is broken")
plt.show()
