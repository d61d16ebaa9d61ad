"""PyTorch, which is an extra."""

__all__ = ["require_torch"]


def require_torch() -> None:
    """Raise an error that says what to install, if torch is not."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'Layers of networks need PyTorch: pip install "sksmooth[torch]"'
        ) from error
