// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is an image of small files in place of the programs. Their times and modes
// differ from call to call, as those of a checkout do.
func source(t *testing.T, architecture string, mode os.FileMode) Source {
	t.Helper()
	directory := t.TempDir()
	for _, name := range []string{"otelcol-legato", "callarchive", "callsim"} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(name+" for "+architecture), mode))
	}
	return Source{
		Programs: directory, Configuration: filepath.Join("..", "config.yaml"), Architecture: architecture,
		Version: "0.1.0", Revision: "abc", Time: time.Unix(1_700_000_000, 0).UTC(),
	}
}

func made(t *testing.T, architecture string, mode os.FileMode) *Image {
	t.Helper()
	i, err := New(source(t, architecture, mode))
	require.NoError(t, err)
	return i
}

// Two builds in other directories give one digest: of the images, of the index, and of
// the files that Write makes.
func TestReproducible(t *testing.T) {
	var digests []v1.Hash
	var contents []map[string]string
	for _, mode := range []os.FileMode{0o755, 0o700} {
		out := t.TempDir()
		digest, err := Write(out, "0.1.0", []*Image{made(t, "amd64", mode), made(t, "arm64", mode)})
		require.NoError(t, err)
		digests = append(digests, digest)
		contents = append(contents, files(t, out))
	}
	assert.Equal(t, digests[0], digests[1])
	assert.Equal(t, contents[0], contents[1])
	changed := source(t, "amd64", 0o755)
	changed.Version = "0.1.1"
	other, err := New(changed)
	require.NoError(t, err)
	mine, err := made(t, "amd64", 0o755).Digest()
	require.NoError(t, err)
	its, err := other.Digest()
	require.NoError(t, err)
	assert.NotEqual(t, mine, its)
}

// files returns the checksum of each file below a directory.
func files(t *testing.T, directory string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(directory, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, directory)] = sum(string(content))
		return err
	}))
	return found
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

// What is written is whole, and other programs' readers find the images in it.
func TestWritten(t *testing.T) {
	out := t.TempDir()
	digest, err := Write(out, "0.1.0", []*Image{made(t, "amd64", 0o755), made(t, "arm64", 0o755)})
	require.NoError(t, err)
	stored, err := layout.ImageIndexFromPath(filepath.Join(out, "oci"))
	require.NoError(t, err)
	manifest, err := stored.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	assert.Equal(t, digest, manifest.Manifests[0].Digest)
	index, err := stored.ImageIndex(digest)
	require.NoError(t, err)
	require.NoError(t, validate.Index(index))
	list, err := index.IndexManifest()
	require.NoError(t, err)
	var platforms []string
	for _, m := range list.Manifests {
		platforms = append(platforms, m.Platform.String())
	}
	assert.Equal(t, []string{"linux/amd64", "linux/arm64"}, platforms)
	loaded, err := tarball.ImageFromPath(filepath.Join(out, "legato_0.1.0_linux_arm64.docker.tar"), nil)
	require.NoError(t, err)
	require.NoError(t, validate.Image(loaded))
}

// entries returns the headers and contents of a tar, by name.
func entries(t *testing.T, r io.Reader) (headers map[string]*tar.Header, contents map[string]string) {
	t.Helper()
	headers, contents = map[string]*tar.Header{}, map[string]string{}
	for reader := tar.NewReader(r); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return headers, contents
		}
		require.NoError(t, err)
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		name := strings.TrimSuffix(header.Name, "/")
		headers[name], contents[name] = header, string(content)
	}
}

// The file system: who owns what, what may be written, and nothing beside it.
func TestRoot(t *testing.T) {
	i := made(t, "amd64", 0o700)
	flat := mutate.Extract(i)
	headers, contents := entries(t, flat)
	require.NoError(t, flat.Close())
	type entry struct {
		mode int64
		user int
	}
	got := map[string]entry{}
	for name, h := range headers {
		got[name] = entry{h.Mode, h.Uid}
		assert.Equal(t, h.Uid, h.Gid, name)
		assert.True(t, h.ModTime.Equal(time.Unix(1_700_000_000, 0)), name)
	}
	assert.Equal(t, map[string]entry{
		"etc": {0o755, 0}, "etc/group": {0o644, 0}, "etc/legato": {0o755, 0}, "etc/legato/config.yaml": {0o644, 0}, "etc/passwd": {0o644, 0},
		"etc/ssl": {0o755, 0}, "etc/ssl/certs": {0o755, 0}, "etc/ssl/certs/ca-certificates.crt": {0o644, 0},
		"otelcol-legato": {0o755, 0}, "tmp": {0o1777, 0}, "usr": {0o755, 0}, "usr/bin": {0o755, 0},
		"usr/bin/legato-callarchive": {0o755, 0}, "usr/bin/legato-callsim": {0o755, 0},
		"var": {0o755, 0}, "var/lib": {0o755, 0}, "var/lib/legato": {0o750, 10001},
	}, got)
	assert.Equal(t, "otelcol-legato for amd64", contents["otelcol-legato"])
	shipped, err := os.ReadFile(filepath.Join("..", "config.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(shipped), contents["etc/legato/config.yaml"])

	pool := x509.NewCertPool()
	assert.True(t, pool.AppendCertsFromPEM([]byte(contents["etc/ssl/certs/ca-certificates.crt"])))
	assert.Greater(t, strings.Count(contents["etc/ssl/certs/ca-certificates.crt"], "BEGIN CERTIFICATE"), 100)

	// What deploy/Dockerfile adds is the same file system.
	plain, plainContents := entries(t, strings.NewReader(string(i.Root)))
	assert.Len(t, plain, len(headers))
	for name, content := range plainContents {
		assert.Equal(t, sum(contents[name]), sum(content), name)
	}
}

func TestConfiguration(t *testing.T) {
	config, err := made(t, "arm64", 0o755).ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "linux/arm64", config.OS+"/"+config.Architecture)
	assert.Equal(t, "10001:10001", config.Config.User)
	assert.Equal(t, []string{"/otelcol-legato"}, config.Config.Entrypoint)
	assert.Equal(t, []string{"--config=/etc/legato/config.yaml"}, config.Config.Cmd)
	assert.Equal(t, "abc", config.Config.Labels["org.opencontainers.image.revision"])
	assert.NotContains(t, strings.Join(config.Config.Env, " "), "LEGATO_PAGE", "the page has no password: nobody opens it by default")

	// The configuration has the variables that the image sets.
	shipped, err := os.ReadFile(filepath.Join("..", "config.yaml"))
	require.NoError(t, err)
	for name := range environment {
		if name != goGC {
			assert.Contains(t, string(shipped), "${env:"+name+":-")
		}
	}

	// The runtime has the same setting in a container and as a service.
	unit, err := os.ReadFile(filepath.Join("..", "legato.service"))
	require.NoError(t, err)
	assert.Contains(t, string(unit), "\nEnvironment=GOGC="+environment[goGC]+"\n")
}

// instruction is one of deploy/Dockerfile.
var instruction = regexp.MustCompile(`(?m)^([A-Z]+) (.+)$`)

// deploy/Dockerfile makes the image that New makes.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "Dockerfile"))
	require.NoError(t, err)
	var env []string
	settings := map[string]string{}
	for _, m := range instruction.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "ENV" {
			env = append(env, m[2])
			continue
		}
		settings[m[1]] = m[2]
	}
	config, err := made(t, "amd64", 0o755).ConfigFile()
	require.NoError(t, err)
	c := config.Config
	assert.Equal(t, map[string]string{
		"FROM": "scratch", "ARG": "TARGETARCH=amd64", "ADD": "rootfs_${TARGETARCH}.tar /",
		"USER": c.User, "WORKDIR": c.WorkingDir, "VOLUME": state, "EXPOSE": strings.Join(ports, " "),
		"ENTRYPOINT": `["` + strings.Join(c.Entrypoint, `", "`) + `"]`, "CMD": `["` + strings.Join(c.Cmd, `", "`) + `"]`,
	}, settings)
	slices.Sort(env)
	assert.Equal(t, c.Env, env)
	for _, port := range ports {
		assert.Contains(t, c.ExposedPorts, port)
	}
	assert.Contains(t, c.Volumes, state)
}
