package lambda

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elfHeader returns a 64-bit ELF file that has no sections and no segments.
func elfHeader(machine uint16, system byte) []byte {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[7] = system
	binary.LittleEndian.PutUint16(header[16:], 2) // executable
	binary.LittleEndian.PutUint16(header[18:], machine)
	binary.LittleEndian.PutUint32(header[20:], 1)
	binary.LittleEndian.PutUint16(header[52:], 64)
	return header
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	const amd64, arm64, mips = 62, 183, 8
	own, other, otherName := uint16(amd64), uint16(arm64), "linux/arm64"
	if runtime.GOARCH == "arm64" {
		own, other, otherName = arm64, amd64, "linux/amd64"
	}
	tests := []struct {
		name    string
		content []byte
		built   string // of the PlatformError
		want    string // part of another error
	}{
		{"the other of Lambda's architectures", elfHeader(other, 0), otherName, ""},
		{"an architecture that Lambda lacks", elfHeader(mips, 0), "linux/EM_MIPS", ""},
		{"another system", elfHeader(own, 9), "ELFOSABI_FREEBSD/" + runtime.GOARCH, ""},
		{"a script", []byte("#!/bin/sh\n"), "", ""},
		{"Windows", []byte("MZ\x90\x00"), "Windows (PE)", ""},
		{"nothing", nil, "", "neither an executable"},
		{"text", []byte("bootstrap\n"), "", "neither an executable"},
		{"an executable cut short", elfHeader(own, 0)[:20], "", "no whole executable"},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests, []struct {
			name    string
			content []byte
			built   string
			want    string
		}{
			{"this architecture", elfHeader(own, 0), "", ""},
			{"this architecture, for Linux by name", elfHeader(own, 3), "", ""},
			{"macOS", []byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01"), "macOS (Mach-O)", ""},
		}...)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bootstrap")
			if err := os.WriteFile(path, test.content, 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := Settings{Name: "f", Region: "eu-central-1", Bootstrap: path}.checked()
			var platform *PlatformError
			switch {
			case test.built != "":
				if !errors.As(err, &platform) || platform.Built != test.built || platform.Bootstrap != path {
					t.Errorf("checked() = %v, want a PlatformError of %s", err, test.built)
				}
			case test.want != "":
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("checked() = %v, want an error with %q", err, test.want)
				}
			case err != nil:
				t.Errorf("checked() = %v, want no error", err)
			}
		})
	}
}
