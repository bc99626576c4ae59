package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5/static"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

//go:embed assets
var embedded embed.FS

// mediaTypes are the media types of the embedded files, by extension.
var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// assets returns the pages that never change, and the files that they load, by path.
func assets() (map[string]http.Handler, error) {
	routes := make(map[string]http.Handler)
	names, err := fs.Glob(embedded, "assets/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := embedded.ReadFile(name)
		if err != nil {
			return nil, err
		}
		routes["/"+name] = newFile(mediaTypes[path.Ext(name)], content)
	}
	for name, content := range map[string][]byte{
		"go-regular.ttf": goregular.TTF,
		"go-medium.ttf":  gomedium.TTF,
		"go-bold.ttf":    gobold.TTF,
		"go-mono.ttf":    gomono.TTF,
	} {
		routes[assetsPath+name] = newFile(mediaTypes[".ttf"], content)
	}
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		file, err := swaggerFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		routes[assetsPath+name] = file
	}
	for page, policy := range map[string]string{DocsPath: policy, ConsolePath: strictPolicy} {
		name := assetsPath + strings.TrimPrefix(page, "/") + ".html"
		routes[page] = withPolicy(policy, routes[name])
		delete(routes, name)
	}
	delete(routes, assetsPath+"welcome.html") // a template
	return routes, nil
}

func withPolicy(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		next.ServeHTTP(w, r)
	})
}

// file is content that stays the same while the process runs. Browsers keep it, but ask each time whether it has changed:
// the next binary on the same port may have another version.
type file struct {
	mediaType, etag string
	content         []byte
	gzipped         bool
}

func newFile(mediaType string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{mediaType: mediaType, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, content: content}
}

// swaggerFile returns a file of Swagger UI. The module holds it compressed.
func swaggerFile(name string) (file, error) {
	content, err := static.FS.ReadFile(name + ".gz")
	if err != nil {
		return file{}, err
	}
	f := newFile(mediaTypes[path.Ext(name)], content)
	f.gzipped = true
	return f, nil
}

func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, etag := f.content, f.etag
	h := w.Header()
	if f.gzipped {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			etag = strings.TrimSuffix(etag, `"`) + `-gzip"` // other bytes, another strong tag (RFC 9110, section 8.8.3)
		} else {
			content = expand(content)
		}
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

// expand decompresses content for clients that do not accept gzip.
func expand(content []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		panic(err) // the content is part of the binary
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		panic(err)
	}
	return plain
}
