// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

// build makes the packages for linux/amd64, and returns their directory.
func build(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sh", "scripts/packages.sh")
	command.Dir = repository
	command.Env = append(os.Environ(), "PACKAGE_TARGETS=linux/amd64", "PACKAGE_VERSION=0.1.0")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	return filepath.Join(repository, "dist", "packages")
}

// Each file is in the list of checksums, and the SBOM names the Collector's modules.
func TestPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the distribution")
	}
	requireBuild(t)
	made := build(t)
	sums, err := os.ReadFile(filepath.Join(made, "SHA256SUMS"))
	require.NoError(t, err)
	listed := regexp.MustCompile(`(?m)^([0-9a-f]{64})  (\S+)$`).FindAllStringSubmatch(string(sums), -1)
	var names []string
	for _, line := range listed {
		content, err := os.ReadFile(filepath.Join(made, line[2]))
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		assert.Equal(t, line[1], hex.EncodeToString(sum[:]), line[2])
		names = append(names, line[2])
	}
	assert.ElementsMatch(t, []string{
		"legato_0.1.0_amd64.deb", "legato-0.1.0-1.x86_64.rpm", "legato_0.1.0_linux_amd64.tar.gz", "legato_0.1.0_linux_amd64.cdx.json",
	}, names)

	var bom struct {
		BomFormat  string
		Components []struct{ Name string }
	}
	content, err := os.ReadFile(filepath.Join(made, "legato_0.1.0_linux_amd64.cdx.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &bom))
	assert.Equal(t, "CycloneDX", bom.BomFormat)
	var modules []string
	for _, c := range bom.Components {
		modules = append(modules, c.Name)
	}
	assert.Contains(t, modules, "go.opentelemetry.io/collector/otelcol")
	assert.Contains(t, modules, "modernc.org/sqlite")

	listing, err := exec.CommandContext(t.Context(), "tar", "-tzf", filepath.Join(made, "legato_0.1.0_linux_amd64.tar.gz")).Output()
	require.NoError(t, err)
	for _, name := range []string{"otelcol-legato", "callarchive", "callid", "callsim", "config.yaml", "LICENSE"} {
		assert.Contains(t, string(listing), "./"+name+"\n")
	}

	t.Run("debian", func(t *testing.T) { testDebianPackage(t, made) })
}

// testDebianPackage installs, runs, upgrades and removes the package on a copy of
// this machine's system.
func testDebianPackage(t *testing.T, made string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a name space with a root of its own needs root")
	}
	for _, tool := range []string{"unshare", "dpkg", "setpriv", "ip", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	if output, err := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skip("this machine allows no name spaces: " + string(output))
	}
	older := filepath.Join(made, "legato_0.1.0_amd64.deb")
	newer := newerVersion(t, older)
	posts, err := filepath.Abs(filepath.Join(repository, "testdata", "cms-cdr", "flow"))
	require.NoError(t, err)
	page, err := filepath.Abs(filepath.Join(repository, "docs", "install.md"))
	require.NoError(t, err)
	script, err := filepath.Abs(filepath.Join("testdata", "lifecycle.sh"))
	require.NoError(t, err)
	output, err := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", script,
		t.TempDir(), older, newer, posts, page).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Contains(t, string(output), "Version: 0.1.1")
	assert.Regexp(t, `newcomer: \d+ ms from dpkg -i to the first meeting on the page`, string(output))
	t.Log(regexp.MustCompile(`newcomer: .*`).FindString(string(output)))
	assert.True(t, strings.HasSuffix(strings.TrimSpace(string(output)), "== done"), string(output))
}

// newerVersion packs the same files as the next version.
func newerVersion(t *testing.T, older string) string {
	t.Helper()
	dir, newer := t.TempDir(), filepath.Join(t.TempDir(), "newer.deb")
	run := func(arguments ...string) {
		output, err := exec.CommandContext(t.Context(), "dpkg-deb", arguments...).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	run("--raw-extract", older, dir)
	control := filepath.Join(dir, "DEBIAN", "control")
	content, err := os.ReadFile(control)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(control, []byte(strings.Replace(string(content), "Version: 0.1.0\n", "Version: 0.1.1\n", 1)), 0o600))
	run("-Znone", "--build", dir, newer)
	return newer
}

// systemd reads the unit without a complaint, and rates its exposure as low.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	unit, err := os.ReadFile(filepath.Join(repository, "packaging", "legato.service"))
	require.NoError(t, err)
	// verify looks for the program.
	text := strings.ReplaceAll(string(unit), "/usr/bin/otelcol-legato", "/bin/true")
	path := filepath.Join(dir, "legato.service")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	output, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", path).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.NotContains(t, string(output), "legato.service:")
	output, err = exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", path).CombinedOutput()
	assert.NoError(t, err, string(output))
}

func requireBuild(t *testing.T) {
	t.Helper()
	_, err := os.Stat(filepath.Join(repository, "build", "otelcol-legato", "go.mod"))
	require.NoError(t, err, "run make build first")
}
