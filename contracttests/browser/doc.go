// Package browser opens the pages of orgs serve in Chromium and does what a person does: signs in, edits, meets a
// refusal, and looks at the result. Each state of each page is photographed, in light and dark, wide and narrow, and
// judged by axe-core.
//
// It knows the product as its users do: it runs the built command and opens URLs, and imports nothing of the main
// module. It is a module of its own, so that the browser's driver moves none of the product's versions. make
// test-browser installs what it needs and runs it; what is missing is a failure, never a skip.
package browser
