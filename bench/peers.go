package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The peers: what a team would write in place of this service.
const (
	goPeer   = "peer: Go, the SDK as it comes"
	nodePeer = "peer: Node, the SDK as it comes"
)

// buildPeers builds the peers in bench/peers. It returns the path of the bootstrap of each, and why one is missing.
func buildPeers(ctx context.Context, root, dir string) (bootstraps map[string]string, notes []string, err error) {
	bootstraps = map[string]string{}
	peer := build{name: goPeer, path: ".", module: "bench/peers/go"}
	if bootstraps[goPeer], err = peer.bootstrap(ctx, root, dir); err != nil {
		return nil, nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return bootstraps, []string{"no peer in Node: there is no node on this machine"}, nil
	}
	if bootstraps[nodePeer], err = buildNodePeer(ctx, root, dir, node); err != nil {
		return nil, nil, err
	}
	version, err := exec.CommandContext(ctx, node, "--version").Output()
	return bootstraps, []string{"the peer in Node runs on " + strings.TrimSpace(string(version))}, err
}

// buildNodePeer installs the peer's libraries beside a copy of its code. It returns the path of a script that starts
// the peer.
func buildNodePeer(ctx context.Context, root, dir, node string) (string, error) {
	dir = filepath.Join(dir, "node")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "bench", "peers", "node"))); err != nil {
		return "", err
	}
	install := exec.CommandContext(ctx, "npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", nodePeer, err, out)
	}
	path := filepath.Join(dir, "bootstrap")
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$LAMBDA_TASK_ROOT/runtime.mjs\"\n", node)
	return path, os.WriteFile(path, []byte(script), 0o755)
}

// packageSize returns how large a function's package is: its program, or the whole folder of the peer in Node.
func packageSize(v variant) (size int64, err error) {
	if !v.folder {
		info, err := os.Stat(v.bootstrap)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	err = filepath.WalkDir(filepath.Dir(v.bootstrap), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
