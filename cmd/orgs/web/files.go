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
	content := f.content
	h := w.Header()
	if f.gzipped {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
		} else {
			content = expand(content)
		}
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
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
