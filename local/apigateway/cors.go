package apigateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins may call the API from a browser. It works like the CORS configuration of an
// HTTP API ("Configure CORS for HTTP APIs in API Gateway" in the API Gateway Developer Guide). Without origins it is
// off, and a function must answer for CORS itself. Credentials are never allowed, because the API uses no cookies.
type CORS struct {
	Origins []string // such as https://app.example.com; "https://*" and "http://*" are all of a scheme, "*" is everybody's
	Methods []string
	Headers []string // of requests
	Exposed []string // headers of responses that a page may read
	MaxAge  time.Duration
}

func (c CORS) on() bool { return len(c.Origins) > 0 }

// allowed returns the value of Access-Control-Allow-Origin for a page of the origin. It returns "" if the origin is not
// allowed.
func (c CORS) allowed(origin string) string {
	if origin == "" {
		return ""
	}
	for _, o := range c.Origins {
		switch {
		case o == "*":
			return o
		case o == origin, strings.HasSuffix(o, "://*") && strings.HasPrefix(origin, strings.TrimSuffix(o, "*")):
			return origin
		}
	}
	return ""
}

// preflight answers an OPTIONS request that no route takes, on any path. If the request is no preflight, or the origin
// is not allowed, the answer has no CORS headers. It always names the same methods and headers: the browser compares
// them with those that the page wants.
func (c CORS) preflight(r *http.Request) answer {
	header := http.Header{"Vary": {"Origin"}}
	origin := c.allowed(r.Header.Get("Origin"))
	if origin != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		header.Set("Access-Control-Allow-Origin", origin)
		set(header, "Access-Control-Allow-Methods", c.Methods)
		set(header, "Access-Control-Allow-Headers", c.Headers)
		if c.MaxAge > 0 {
			header.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge.Seconds())))
		}
	}
	return answer{status: http.StatusNoContent, header: header}
}

// amend sets the CORS headers for the request's origin, and Vary for caches (Fetch Standard, "CORS protocol and HTTP
// caches"). They replace the CORS headers of the function, which an HTTP API ignores.
func (c CORS) amend(header http.Header, r *http.Request) {
	if !c.on() {
		return
	}
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			header.Del(name)
		}
	}
	header.Add("Vary", "Origin") // always, because every answer depends on the origin
	if origin := c.allowed(r.Header.Get("Origin")); origin != "" {
		header.Set("Access-Control-Allow-Origin", origin)
		set(header, "Access-Control-Expose-Headers", c.Exposed)
	}
}

func set(header http.Header, name string, values []string) {
	if len(values) > 0 {
		header.Set(name, strings.Join(values, ","))
	}
}
