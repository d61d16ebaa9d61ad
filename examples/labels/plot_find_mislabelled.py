"""
=================
Find wrong labels
=================

Which classes are rough, and which samples? ``class_smoothness`` measures the index of each
class, ``sample_roughness`` the energy of the small-scale wavelets through each sample. The
first shows which classes have wrong labels, the second which samples.
"""

# %%
# We mislabel one digit in ten as the digit that it resembles most, as hurried annotators
# do.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, precision_recall_curve

from sksmooth import class_smoothness, sample_roughness
from sksmooth.datasets import corrupt_labels

X, y = load_digits(return_X_y=True)
looks_like = [6, 7, 7, 8, 9, 3, 5, 1, 3, 4]  # 0 is taken for 6, 1 for 7, ...
labels, wrong = corrupt_labels(
    y, 0.1, random_state=0, confusion=np.eye(10)[looks_like], return_mask=True
)

# %%
# Rough classes
# -------------
#
# A class is measured by its indicator function, which is one on the class and zero
# elsewhere. Fewer than two hundred samples of a class give a rough index, so we look at the
# share of the variance that is explained. With the correct labels it is largest for the
# zeros; eights and nines, which resemble many other digits, come last. Wrong labels lower
# it for all classes.

before = class_smoothness(X, y, random_state=0).set_index("class")
after = class_smoothness(X, labels, random_state=0).set_index("class")
columns = ["n_samples", "explained", "explained_low", "explained_high", "alpha"]
print(after[columns].round(2))

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.bar(before.index - 0.2, before.explained, 0.4, label="correct labels")
ax.bar(after.index + 0.2, after.explained, 0.4, label="one in ten wrong")
ax.set(xlabel="Digit", ylabel="Share explained", xticks=range(10))
ax.set_title("Each class against the rest")
ax.legend()
plt.show()

# %%
# Rough samples
# -------------
#
# ``excess`` is the energy with the given label minus that with the best other label. If
# it is positive, another label fits the sample better. Here are the twelve samples with the
# largest excess, and the suggested labels.

frame = sample_roughness(X, labels, random_state=0)


def show(rows, title):
    figure, axes = plt.subplots(2, 6, figsize=(7.6, 3.6), layout="constrained")
    for ax, row in zip(axes.ravel(), rows, strict=True):
        ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
        colour = "tab:red" if wrong[row] else "black"
        ax.set_title(f"{labels[row]}? or {frame.suggested[row]}", color=colour)
    figure.suptitle(title)
    plt.show()


show(frame.nlargest(12, "excess").index, "Most suspect (red: label is wrong)")

# %%
# In this order most of the wrong labels come before the first correct one. The samples
# with a positive excess are a list of suspects; it is slightly too long, since it also
# contains rare shapes.

suspect = frame.excess > 0
print(
    f"{suspect.sum()} suspects, {wrong[suspect].mean():.0%} of them with wrong labels; "
    f"{suspect[wrong].mean():.0%} of all wrong labels are among them, and for "
    f"{(frame.suggested == y)[wrong & suspect].mean():.0%} of these the suggestion is right"
)
right_ones = frame[~wrong].nlargest(12, "excess").index
show(right_ones, "Correct labels that look most suspicious")

# %%
# Compared with the margin of a forest
# ------------------------------------
#
# The usual method without a network is the margin: by how many votes does the best other
# class exceed the given one, among the trees of a random forest that have not seen the
# sample? The roughness also uses the other trees, without their small-scale wavelets.

forest = RandomForestClassifier(200, oob_score=True, random_state=0).fit(X, labels)
votes, rows = forest.oob_decision_function_.copy(), np.arange(len(y))
own = votes[rows, labels]
votes[rows, labels] = -1
scores = {
    "sample_roughness: excess": frame.excess,
    "sample_roughness: roughness": frame.roughness,
    "random forest: out-of-bag margin": votes.max(axis=1) - own,
}
figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for name, score in scores.items():
    precision, recall, _ = precision_recall_curve(wrong, score)
    area = average_precision_score(wrong, score)
    ax.plot(recall, precision, label=f"{name} ({area:.3f})")
ax.set(xlabel="Wrong labels found", ylabel="Share of wrong labels", ylim=(0.4, 1.02))
ax.set_title("Samples checked in order (average precision)")
ax.legend(loc="lower left")
plt.show()

# %%
# Both orders are nearly equally good here. The more labels are wrong and the fewer trees
# there are, the more the other trees help.
#
# So ``sample_roughness`` gives a good order in which to check labels. Look at the samples
# before you change them: rare shapes also look wrong. And if half of a class has the same
# wrong label, no neighbour shows the correct one.
