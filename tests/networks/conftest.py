import pytest

from sksmooth.trees import grower


@pytest.fixture
def drawn_bags(monkeypatch):
    """The bags of all fits, in the order in which they are drawn."""
    drawn = []
    original = grower.draw_bags

    def spy(*arguments):
        drawn.append(original(*arguments))
        return drawn[-1]

    monkeypatch.setattr(grower, "draw_bags", spy)
    return drawn
