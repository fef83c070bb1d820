"""Draw the PNG sizes from clinicdesk.svg: `python resources/icon/make_png.py`."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

HERE = Path(__file__).parent
app = QGuiApplication([])
for size in (48, 256):
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(HERE / "clinicdesk.svg")).render(painter)
    painter.end()
    image.save(str(HERE / f"clinicdesk-{size}.png"))
