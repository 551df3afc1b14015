"""The emergency card to carry: on paper for a wallet, and as a picture for a locked phone."""

from qrverify.emergency_paper.render import (
    SIZES,
    PrintedCard,
    Size,
    render_wallet_card,
    render_wallpaper,
)

__all__ = ["SIZES", "PrintedCard", "Size", "render_wallet_card", "render_wallpaper"]
