"""Narratives: simple XHTML is accepted, anything that could act is refused, and nothing can expand."""

import pytest

from commonweal.fhir.narrative import narrative_fault

HEAD = '<div xmlns="http://www.w3.org/1999/xhtml">'

SAFE = [
    "<p>a<br/>b</p>",
    "王小明 &amp; &lt;b&gt; &nbsp; &#160; &hellip;",
    '<table class="grid" border="1"><thead><tr><th colspan="2">a</th></tr></thead></table>',
    "<table><tbody><tr><td>1</td></tr></tbody></table>",
    '<a href="#x" title="y" name="z">a</a> <a href="https://example.org/?a=1&amp;b=2:3">b</a>',
    '<a href="Patient/1">c</a> <a href="Patient/1?a=b:c">d</a>',
    '<a href="mailto:a@example.org">a</a><img src="#p" alt="b"/><img src="data:image/png;base64,QUJD" alt="b"/>',
    '<span style="color: red; background: url(data:image/png;base64,QUJD)">a</span><!-- a comment -->',
    '<p lang="zh" xml:lang="zh" dir="ltr" id="i">a</p>',
    "<![CDATA[<script>]]>",
]

UNSAFE = [
    "<script>alert(1)</script>",
    "a<object/>",
    "a<iframe src='x'/>",
    "a<form/>",
    "a<input/>",
    "a<style>p{}</style>",
    "a<svg xmlns='http://www.w3.org/2000/svg'/>",
    "<p onclick='x()'>a</p>",
    "<img src='x' onerror='x()'/>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href='JaVa&#10;Script:alert(1)'>a</a>",
    "<a href=' javascript:alert(1)'>a</a>",
    "<a href='vbscript:x'>a</a>",
    "<a href='data:text/html,x'>a</a>",
    "<img src='data:image/svg+xml;base64,x'/>",
    "<p style='background:url(http://example.org/x)'>a</p>",
    "<p style='background:url(//example.org/x)'>a</p>",
    "<p style='width:expression(x)'>a</p>",
    "<p style='\\75rl(x)'>a</p>",
    "<p formaction='x'>a</p>",
    "<p>a",
    "<p>a</div>",
    "<?php a ?>",
    "&unknown;",
    "a < b",
    "a & b",
    "",
    "  <p> </p>",
    "<p>" * 200 + "a" + "</p>" * 200,
]


@pytest.mark.parametrize("content", SAFE)
def test_simple_text_is_accepted(content: str) -> None:
    assert narrative_fault(f"{HEAD}{content}</div>") == ""


@pytest.mark.parametrize("content", UNSAFE)
def test_what_could_act_or_says_nothing_is_refused(content: str) -> None:
    assert narrative_fault(f"{HEAD}{content}</div>")


BOMB = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))


@pytest.mark.parametrize(
    "div",
    [
        "",
        "a",
        "<p>a</p>",
        "<div>a</div><div>b</div>",
        "<div>a</div><?a?>",
        "<divx>a</divx>",
        '<div xmlns="http://example.org">a</div>',
        f'<!DOCTYPE div [<!ENTITY a0 "a">{BOMB}]><div>&a9;</div>',
        '<!DOCTYPE div SYSTEM "file:///etc/passwd"><div>a</div>',
        '<?xml version="1.0"?><div>a</div>',
        "<div>\x00</div>",
    ],
)
def test_only_one_plain_div_is_accepted(div: str) -> None:
    assert narrative_fault(div)
