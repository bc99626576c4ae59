package browser

import (
	"errors"
	"os"
	"os/exec"
)

// Chromium returns the path of the browser. It is in the variable CHROMIUM; without it, an installed browser is taken.
func Chromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium; install the package chromium, or name one in CHROMIUM")
}
