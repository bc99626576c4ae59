package main

import (
	"context"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"organizations-api/contracttests/browser"
)

// console signs in to the console with the key, and returns the picture of its first screen.
func console(ctx context.Context, url, key string) ([]byte, error) {
	path, err := browser.Chromium()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-GB"))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	err = chromedp.Do(ctx,
		chromedp.EmulateViewport(1280, 860),
		chromedp.Navigate(url+"/console"),
		chromedp.WaitVisible(chromedp.CSS("#key")),
		chromedp.KeyEvent(key+kb.Enter), // the page has put the focus there
		chromedp.WaitVisible(chromedp.CSS("#organization")),
	)
	if err != nil {
		return nil, err
	}
	const settle = `document.activeElement.blur(), scrollTo(0, 0),
		document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settle, chromedp.EvalAwaitPromise)); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
