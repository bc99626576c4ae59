package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The widths in which every state is looked at: a phone, a tablet and a laptop.
const (
	narrow = 380
	medium = 768
	wide   = 1280
	height = 900
)

// look photographs the page as it is, in light and dark and in each width, and wants each to be whole and accessible.
func (tb *tab) look(name string) {
	tb.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{narrow, medium, wide} {
			tb.do(
				send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
				}}),
				chromedp.EmulateViewport(width, height),
			)
			tb.do(chromedp.EmulateViewport(width, max(height, eval[int64](tb, "document.documentElement.scrollHeight"))))
			shown := fmt.Sprintf("%s-%s-%d", name, scheme, width)
			tb.shot(shown)
			tb.fits(shown, width)
			tb.accessible(shown)
		}
	}
	tb.do(chromedp.EmulateViewport(wide, height))
}

// paper photographs the page as it is printed on A4, and wants it to be whole.
func (tb *tab) paper(name string) {
	tb.t.Helper()
	const a4 = 794 // its width at 96 pixels an inch
	tb.do(send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}), chromedp.EmulateViewport(a4, height))
	tb.do(chromedp.EmulateViewport(a4, max(height, eval[int64](tb, "document.documentElement.scrollHeight"))))
	tb.shot(name + "-print")
	tb.fits(name+"-print", a4)
	if n := eval[int](tb, `[...document.querySelectorAll("button, .button, nav")].filter((e) => e.getClientRects().length > 0).length`); n > 0 {
		tb.t.Errorf("%s prints %d things to press, want none", name, n)
	}
	tb.do(send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}), chromedp.EmulateViewport(wide, height))
}

// shot writes a picture of what is in view.
func (tb *tab) shot(name string) {
	tb.t.Helper()
	const drawn = "document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](drawn, chromedp.EvalAwaitPromise))
	var picture []byte
	if err == nil {
		picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
	}
	path := artifact(name)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, picture, 0o644)
	}
	if err != nil {
		tb.t.Errorf("photographing %s: %v", name, err)
	}
}

func artifact(name string) string {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join("..", "build", "screenshots")
	}
	return filepath.Join(dir, name+".png")
}

// clipped lists elements that reach beyond the page's sides, and texts that do not fit their box.
const clipped = `(() => {
  const wide = document.documentElement.clientWidth;
  const hidden = (e) => e.closest(".visually-hidden, .skip, [hidden]") || !e.getClientRects().length ||
    getComputedStyle(e).clipPath !== "none" || getComputedStyle(e).position === "absolute";
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className && e.className.trim ? "." + e.className.trim().replace(/\s+/g, ".") : "");
  return [...document.body.querySelectorAll("*")].filter((e) => {
    if (hidden(e) || e.closest("svg, thead")) return false;
    const box = e.getBoundingClientRect();
    if (box.left < -1 || box.right > wide + 1) return true;
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(e).overflowX) || e.matches("input, textarea, select, meter");
    return !scrolls && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
  }).map(name).slice(0, 10);
})()`

// fits wants nothing to be cut off or to make the page scroll sideways.
func (tb *tab) fits(name string, width int64) {
	tb.t.Helper()
	if got := eval[int64](tb, "document.documentElement.scrollWidth"); got > width {
		tb.t.Errorf("%s is %d pixels wide, want %d", name, got, width)
	}
	if got := eval[[]string](tb, clipped); len(got) > 0 {
		tb.t.Errorf("%s cuts off %q", name, got)
	}
}

// axe returns the source of axe-core.
var axe = sync.OnceValues(func() (string, error) {
	path := os.Getenv("AXE")
	if path == "" {
		return "", fmt.Errorf("AXE does not name axe.min.js; make test-browser sets it")
	}
	source, err := os.ReadFile(path)
	return string(source), err
})

// violation is what axe-core reports of one rule.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         any
		FailureSummary string
	}
}

// accessible wants axe-core to find nothing.
func (tb *tab) accessible(name string) {
	tb.t.Helper()
	source, err := axe()
	if err != nil {
		tb.t.Fatal(err)
	}
	if !eval[bool](tb, "typeof axe === 'object'") {
		eval[bool](tb, source+";true")
	}
	report := eval[string](tb, "axe.run(document, {resultTypes: ['violations'], preload: false}).then((r) => JSON.stringify(r.violations))")
	var violations []violation
	if err := json.Unmarshal([]byte(report), &violations); err != nil {
		tb.t.Fatal(err)
	}
	for _, v := range violations {
		var where []string
		for _, node := range v.Nodes[:min(len(v.Nodes), 6)] {
			where = append(where, fmt.Sprintf("%v: %s", node.Target, node.FailureSummary))
		}
		tb.t.Errorf("%s: axe: %s %s: %s (%d)\n%s", name, v.Impact, v.ID, v.Help, len(v.Nodes), strings.Join(where, "\n"))
	}
}
