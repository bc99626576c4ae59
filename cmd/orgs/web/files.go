package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

//go:embed assets
var embedded embed.FS

// mediaTypes are the media types of the embedded files, by extension.
var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8", // of pages
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// assets returns the files that pages load, by path.
func assets() (map[string]http.Handler, error) {
	routes := make(map[string]http.Handler)
	names, err := fs.Glob(embedded, "assets/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if path.Ext(name) == ".html" { // a template
			continue
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return nil, err
		}
		routes["/"+name] = newFile(mediaTypes[path.Ext(name)], content)
	}
	for name, content := range map[string][]byte{
		"go-regular.ttf": goregular.TTF,
		"go-medium.ttf":  gomedium.TTF,
		"go-mono.ttf":    gomono.TTF,
	} {
		routes[assetsPath+name] = newFile(mediaTypes[".ttf"], content)
	}
	return routes, nil
}

// file is content that stays the same while the process runs. Browsers keep it, but ask each time whether it has changed:
// the next binary on the same port may have another version.
type file struct {
	mediaType, etag string
	content         []byte
	gzipped         func() []byte // the content, compressed when it is asked for first
}

func newFile(mediaType string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{mediaType, `"` + hex.EncodeToString(sum[:12]) + `"`, content, sync.OnceValue(func() []byte { return compress(content) })}
}

func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, etag := f.content, f.etag
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		etag = strings.TrimSuffix(etag, `"`) + `-gzip"` // other bytes, another strong tag (RFC 9110, section 8.8.3)
		content = f.gzipped()
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reports whether an Accept-Encoding (RFC 9110, section 12.5.3) has gzip, by name or by *, with a weight above
// zero. Without the header everything is acceptable, but who does not ask for gzip may not read it.
func acceptsGzip(values []string) bool {
	named, byStar := 0.0, 0.0
	isNamed := false
	for element := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameter, weighted := strings.Cut(element, ";")
		weight := 1.0
		if weighted {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			q, err := strconv.ParseFloat(value, 64)
			if !strings.EqualFold(name, "q") || err != nil {
				continue // malformed
			}
			weight = q
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			named, isNamed = max(named, weight), true
		case "*":
			byStar = weight
		}
	}
	if isNamed {
		return named > 0
	}
	return byStar > 0
}

// compress returns the content in gzip.
func compress(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}
