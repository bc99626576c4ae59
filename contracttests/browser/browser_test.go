package browser

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is the one Chromium of all tests.
var browser context.Context

func TestMain(m *testing.M) { os.Exit(withBrowser(m.Run)) }

func withBrowser(run func() int) int {
	path, err := Chromium()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	profile, err := os.MkdirTemp("", "browsertests-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(profile)
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-GB"))
	defer stop()
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintf(os.Stderr, "starting %s: %v\n", path, err)
		return 1
	}
	return run()
}

// tab is a page in a profile of its own. What no page of ours may do fails the test when it ends.
type tab struct {
	t       *testing.T
	ctx     context.Context
	gateway *gateway

	mutex     sync.Mutex
	replies   map[string]reply // by method and path
	elsewhere string           // the one address of another host that the page may load; the test answers it
	holds     map[string]hold  // by method and path
	expected  []string         // parts of messages on the console that are no fault
	faults    []string
}

// open opens a page of the gateway.
func open(t *testing.T, g *gateway, path string) *tab {
	t.Helper()
	// Answers other than 2xx are written to the console by the browser itself; the tests ask for them.
	tb := &tab{t: t, gateway: g, replies: make(map[string]reply), holds: make(map[string]hold), expected: []string{"Failed to load resource: the server responded with a status of"}}
	var cancel context.CancelFunc
	tb.ctx, cancel = chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.watch))
	t.Cleanup(cancel)
	t.Cleanup(tb.check)
	if err := chromedp.Do(tb.ctx); err != nil { // opens the tab, which lives as long as this context
		t.Fatal(err)
	}
	tb.do(send(network.Enable, network.EnableParams{}), send(cdplog.Enable, cdp.Empty{}),
		chromedp.EmulateViewport(wide, height), chromedp.Navigate(g.url+path))
	return tb
}

// send makes an action of a command whose result does not matter.
func send[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

// watch notes what no page may do: fail, break its policy, ask another host, or put a key into an address.
func (tb *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tb.fault(fmt.Sprintf("an exception: %s %s", e.ExceptionDetails.Text, description(e.ExceptionDetails.Exception)))
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Source == cdplog.EntrySourceSecurity {
			tb.fault(fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError && len(e.Args) > 0 {
			tb.fault(fmt.Sprintf("console.error: %s %s", e.Args[0].Value, description(e.Args[0])))
		}
	case *page.EventJavascriptDialogOpening:
		tb.fault("a dialog: " + e.Message)
	case *fetch.EventRequestPaused:
		go tb.answer(e)
	case *network.EventRequestWillBeSent:
		url := e.Request.URL
		if !strings.HasPrefix(url, tb.gateway.url+"/") && url != tb.elsewhere && !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:") {
			tb.fault("a request to another host: " + url)
		}
		if strings.Contains(url, "sk_") {
			tb.fault("a key in an address: " + url)
		}
	}
}

func description(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return o.Description
}

func (tb *tab) fault(what string) {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	tb.faults = append(tb.faults, what)
}

// expect names a message on the console that a test provokes.
func (tb *tab) expect(part string) {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	tb.expected = append(tb.expected, part)
}

func (tb *tab) check() {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	for _, fault := range tb.faults {
		known := false
		for _, part := range tb.expected {
			known = known || strings.Contains(fault, part)
		}
		if !known {
			tb.t.Errorf("the page caused %s", fault)
		}
	}
}

// do does what a person does. Each of the actions must succeed in time.
func (tb *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	run(tb, chromedp.Steps(actions...))
}

// run returns the value of an action, which must succeed in time.
func run[T any](tb *tab, action chromedp.Action[T]) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tb.fail("%v", err)
	}
	return value
}

// fail photographs the page and ends the test.
func (tb *tab) fail(format string, args ...any) {
	tb.t.Helper()
	tb.shot("failure-" + strings.ReplaceAll(tb.t.Name(), "/", "-"))
	tb.check()
	tb.t.Fatalf(format, args...)
}

// eval returns the value of an expression, or of the promise that it gives.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	return run(tb, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// await returns when the expression is true. The page's policy allows no eval, so the expression stands in the script.
func (tb *tab) await(expression string) {
	tb.t.Helper()
	if !eval[bool](tb, fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + %d;
		const look = () => { if (%s) done(true); else if (Date.now() > end) done(false); else setTimeout(look, 10); };
		look();
	})`, (patience/2).Milliseconds(), expression)) {
		tb.fail("waited %v in vain for %s", patience/2, expression)
	}
}

// awaitText returns when an element's text contains what is wanted.
func (tb *tab) awaitText(selector, want string) {
	tb.t.Helper()
	tb.await(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, want))
}

// text returns an element's text, as it is shown.
func (tb *tab) text(selector string) string {
	tb.t.Helper()
	return eval[string](tb, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// value returns what is in a field.
func (tb *tab) value(selector string) string {
	tb.t.Helper()
	return eval[string](tb, fmt.Sprintf("document.querySelector(%q).value", selector))
}

// fill puts a text in place of what a field has, as typing does.
func (tb *tab) fill(selector, text string) {
	tb.t.Helper()
	tb.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	eval[bool](tb, fmt.Sprintf("(() => { const e = document.querySelector(%q); e.focus(); e.select(); return true; })()", selector))
	if text == "" {
		tb.do(chromedp.KeyEvent(kb.Backspace))
		return
	}
	tb.do(send(input.InsertText, input.InsertTextParams{Text: text}))
}

func (tb *tab) click(selector string) {
	tb.t.Helper()
	tb.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// choose chooses the option of a value, as a person does.
func (tb *tab) choose(selector, value string) {
	tb.t.Helper()
	eval[bool](tb, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`,
		selector, value))
}

// openEntry opens an entry of the audit trail, by its place.
func (tb *tab) openEntry(n int) {
	tb.t.Helper()
	tb.click(fmt.Sprintf(".trail > li:nth-child(%d) summary", n))
	tb.await(fmt.Sprintf("document.querySelector('.trail > li:nth-child(%d) details').open", n))
}

// inView wants an element to be where a person sees it: inside the window and under nothing else.
func (tb *tab) inView(selector string) {
	tb.t.Helper()
	tb.await(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		const box = e.getBoundingClientRect();
		if (box.height === 0 || box.top < 0 || box.bottom > innerHeight) return false;
		return e.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
	})()`, selector))
}

// noticed wants the console to say something beside Save, in view and with the focus on it.
func (tb *tab) noticed(want string) {
	tb.t.Helper()
	tb.awaitText("#said", want)
	tb.await("document.activeElement.id === 'said'")
	tb.inView("#said")
}
