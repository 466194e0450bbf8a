// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// TestImage makes the container image twice, which gives one digest, and runs the
// Collector of it as its user in its file system.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the distribution")
	}
	requireBuild(t)
	first, second := buildImage(t), buildImage(t)
	digest, err := os.ReadFile(filepath.Join(first, "digest"))
	require.NoError(t, err)
	again, err := os.ReadFile(filepath.Join(second, "digest"))
	require.NoError(t, err)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}\n$`, string(digest))
	assert.Equal(t, string(digest), string(again))

	t.Run("run", func(t *testing.T) { runImage(t, first) })
}

func buildImage(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), "sh", "scripts/image.sh")
	command.Dir = repository
	command.Env = append(os.Environ(), "IMAGE_TARGETS=amd64", "IMAGE_VERSION=0.1.0", "IMAGE_OUT="+out)
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	return out
}

// imageConfig is how a runtime is to start the image.
type imageConfig struct {
	User, WorkingDir     string
	Env, Entrypoint, Cmd []string
}

// configOf reads the configuration from the archive that `docker load` reads.
func configOf(t *testing.T, archive string) imageConfig {
	t.Helper()
	var manifest []struct{ Config string }
	member(t, archive, "manifest.json", &manifest)
	require.Len(t, manifest, 1)
	var file struct {
		Architecture string      `json:"architecture"`
		Config       imageConfig `json:"config"`
	}
	member(t, archive, manifest[0].Config, &file)
	assert.Equal(t, "amd64", file.Architecture)
	return file.Config
}

// member decodes a JSON file of a tar.
func member(t *testing.T, archive, name string, into any) {
	t.Helper()
	file, err := os.Open(archive)
	require.NoError(t, err)
	defer func() { assert.NoError(t, file.Close()) }()
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		require.NoError(t, err, "%s has no %s", archive, name)
		if header.Name == name {
			require.NoError(t, json.NewDecoder(r).Decode(into))
			return
		}
	}
}

// runImage starts what the image says, with its file system as the root, and shows a
// meeting on its page.
func runImage(t *testing.T, made string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a root of its own needs root")
	}
	if output, err := exec.CommandContext(t.Context(), "unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skip("this machine allows no name spaces: " + string(output))
	}
	config := configOf(t, filepath.Join(made, "legato_0.1.0_linux_amd64.docker.tar"))
	require.Equal(t, "10001:10001", config.User)
	root := t.TempDir()
	// Directories of tests are closed to other users.
	for dir := root; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755)) // #nosec G302 -- user 10001 has to reach it
	}
	output, err := exec.CommandContext(t.Context(), "tar", "-xpf", filepath.Join(made, "rootfs_amd64.tar"), "-C", root,
		"--same-owner", "--numeric-owner").CombinedOutput()
	require.NoError(t, err, string(output))

	address := map[string]string{"LEGATO_LISTEN": "", "LEGATO_PAGE": "", "LEGATO_HEALTH": "", "LEGATO_METRICS": ""}
	var log strings.Builder
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755)) // #nosec G301 -- as a container runtime does
	user, group, _ := strings.Cut(config.User, ":")
	arguments := slices.Concat(
		[]string{"--mount", "--mount-proc", "--root=" + root, "--wd=" + config.WorkingDir, "--setuid=" + user, "--setgid=" + group, "--"},
		config.Entrypoint, config.Cmd, []string{"--set", "service.telemetry.metrics.level=none"})
	process := exec.CommandContext(t.Context(), "unshare", arguments...)
	process.Env = config.Env
	for name := range address {
		address[name], err = loopback.Address()
		require.NoError(t, err)
		process.Env = append(process.Env, name+"="+address[name])
	}
	process.Stderr = &log
	require.NoError(t, process.Start())
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	alive := func() {
		select {
		case err := <-ended:
			require.Fail(t, "the Collector ended", "%v\n%s", err, &log)
		default:
		}
	}
	for get(t, "http://"+address["LEGATO_HEALTH"]+"/status") == "" {
		alive()
	}
	for n := 1; n <= 6; n++ {
		body, err := os.Open(filepath.Join(repository, "testdata", "cms-cdr", "flow", "post-"+strconv.Itoa(n)+".xml"))
		require.NoError(t, err)
		answer, err := http.Post("http://"+address["LEGATO_LISTEN"]+"/cdr", "text/xml", body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
	for !strings.Contains(get(t, "http://"+address["LEGATO_PAGE"]+"/find?id=d51bb12e-a7ae-4c3e-83ed-33ea6433a5d2"), "Weekly sync") {
		alive()
	}
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-ended, "%s", &log)

	info, err := os.Stat(filepath.Join(root, "var", "lib", "legato", "calls.db"))
	require.NoError(t, err)
	owner, _ := info.Sys().(*syscall.Stat_t)
	assert.Equal(t, uint32(10001), owner.Uid)
	var written []string // outside the state directory
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == filepath.Join(root, "var", "lib", "legato") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if owner, _ := info.Sys().(*syscall.Stat_t); err == nil && owner.Uid == 10001 {
			written = append(written, path)
		}
		return err
	}))
	assert.Empty(t, written)
}

// get returns the body of a 200, and nothing of anything else.
func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url) // #nosec G107 -- of this test
	if err != nil {
		return ""
	}
	defer func() { assert.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	if answer.StatusCode != http.StatusOK {
		return ""
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}
