"""PDF on the screen and to the printer: pictures, sizes, the very bytes, and what is said without a printer."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest
from reportlab.lib.pagesizes import A4, A5
from reportlab.pdfgen.canvas import Canvas

from ui import printing
from ui.printing import CannotPrint, page_sizes, render_pages, send_to_spooler
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets import pdf_preview
from ui.widgets.pdf_preview import PdfPreview


@pytest.fixture(scope="module")
def pdf() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setFillColorRGB(0, 0, 0)
    canvas.rect(100, 100, 200, 100, fill=1)
    canvas.showPage()
    canvas.setPageSize(A5)
    canvas.drawString(50, 50, "second page")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def test_pages_are_rendered_at_their_true_size_and_colour(pdf: bytes) -> None:
    sizes = page_sizes(pdf)
    assert (round(sizes[0].width), round(sizes[0].height)) == (595, 842)
    first, second = render_pages(pdf, 144)
    assert abs(first.width() - 2 * 595) <= 2 and abs(second.width() - 2 * 420) <= 2
    assert first.pixelColor(5, 5).name() == "#ffffff"
    assert first.pixelColor(400, first.height() - 300).name() == "#000000"


def test_what_is_no_pdf_is_a_sentence() -> None:
    with pytest.raises(CannotPrint, match="not a readable PDF"):
        render_pages(b"nonsense", 96)


def fake_lp(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Path:
    out = folder / "spooled"
    program = folder / "lp"
    program.write_text(f"#!/bin/sh\nprintf '%s ' \"$@\" > {out}.args\ncat > {out}\necho 'lp: The printer is on fire' >&2\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return out


def test_the_spooler_gets_the_very_bytes(pdf: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = fake_lp(tmp_path, monkeypatch)
    send_to_spooler(pdf, "Front desk", copies=2)
    assert out.read_bytes() == pdf
    assert out.with_suffix(".args").read_text() == "-d Front desk -n 2 -t ClinicDesk "


def test_a_printer_that_refuses_is_quoted(pdf: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_lp(tmp_path, monkeypatch, code=1)
    with pytest.raises(CannotPrint, match="refused the document: The printer is on fire"):
        send_to_spooler(pdf, "Front desk")


def test_the_fall_back_draws_every_page_at_its_size(pdf: bytes, tmp_path: Path, qapp: Any) -> None:
    target = QPrinter(QPrinter.PrinterMode.HighResolution)
    target.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    target.setOutputFileName(str(tmp_path / "out.pdf"))
    printing.draw(target, render_pages(pdf, 150), page_sizes(pdf))
    drawn = (tmp_path / "out.pdf").read_bytes()
    assert [(round(s.width), round(s.height)) for s in page_sizes(drawn)] == [(595, 842), (420, 595)]
    assert render_pages(drawn, 72)[0].pixelColor(200, 842 - 150).lightness() < 40


@pytest.fixture
def preview(theme: Theme, qtbot: Any, pdf: bytes) -> PdfPreview:
    made = PdfPreview(theme, Pool(inline=True))
    qtbot.addWidget(made)
    made.resize(QSize(800, 600))
    made.show()
    made.show_pdf(pdf, "prescription.pdf")
    qtbot.waitUntil(lambda: bool(made._pages.pictures))
    return made


def test_the_preview_shows_pages_and_moves_by_keys(preview: PdfPreview) -> None:
    assert preview.place.text() == "Page 1 of 2"
    QTest.keyClick(preview, Qt.Key.Key_End)
    assert preview.place.text() == "Page 2 of 2"
    width = preview._pages.rects[0].width()
    QTest.keyClick(preview, Qt.Key.Key_P)
    assert preview._pages.rects[0].width() < width
    QTest.keyClick(preview, Qt.Key.Key_W)
    assert preview._pages.rects[0].width() == width
    QTest.keyClicks(preview, "+")
    assert preview._pages.rects[0].width() > width


def test_without_a_printer_it_says_so_and_points_to_saving(preview: PdfPreview, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                          pdf: bytes) -> None:
    monkeypatch.setattr(pdf_preview, "printers", list)
    preview.print_button.click()
    assert "No printer is set up" in preview.words.text()
    preview.save_to(tmp_path / "prescription.pdf")
    assert (tmp_path / "prescription.pdf").read_bytes() == pdf
    preview.save_to(tmp_path / "missing" / "prescription.pdf")
    assert "could not be saved" in preview.words.text()


def test_printing_from_the_preview(preview: PdfPreview, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pdf: bytes, qtbot: Any) -> None:
    out = fake_lp(tmp_path, monkeypatch)
    monkeypatch.setattr(pdf_preview, "printers", lambda: ["Front desk"])
    with qtbot.waitSignal(preview.printed) as printed:
        preview.print_button.click()
    assert printed.args == ["Front desk"]
    assert out.read_bytes() == pdf
    assert preview.words.text() == "Sent to Front desk."
