package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The terminal in the picture.
const (
	columns    = 116
	maxLines   = 40
	fontSize   = 13
	charWidth  = 7.83 // of most monospaced fonts at that size
	lineHeight = 18
	margin     = 16
	background = "#12161c"
	foreground = "#d7dde5"
	prompt     = "#7fd1a8"
)

// terminal draws the text as SVG: dark, monospaced, commands in green. Lines longer than a row go on in the next.
func terminal(text string) []byte {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, wrap(line)...)
	}
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], "…")
	}
	width, height := 2*margin+columns*charWidth, 2*margin+len(lines)*lineHeight
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&out, "<title>make run, and the first request</title>\n")
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	fmt.Fprintf(&out, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d" fill="%s">`+"\n",
		fontSize, foreground)
	for i, line := range lines {
		if line == "" {
			continue
		}
		colour := ""
		if strings.HasPrefix(line, "$ ") {
			colour = fmt.Sprintf(` fill="%s"`, prompt)
		}
		fmt.Fprintf(&out, `<text x="%d" y="%d"%s>`, margin, margin+(i+1)*lineHeight-5, colour)
		line = strings.ReplaceAll(line, " ", "\u00a0") // not every viewer keeps a row of plain spaces
		_ = xml.EscapeText(&out, []byte(line))         // a buffer takes everything
		out.WriteString("</text>\n")
	}
	out.WriteString("</g>\n</svg>\n")
	return out.Bytes()
}

// wrap breaks the line into rows, as a terminal does.
func wrap(line string) []string {
	var rows []string
	for utf8.RuneCountInString(line) > columns {
		runes := []rune(line)
		rows, line = append(rows, string(runes[:columns])), string(runes[columns:])
	}
	return append(rows, line)
}
