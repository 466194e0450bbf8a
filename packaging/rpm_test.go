// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package packaging

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	rpmutils "github.com/sassoftware/go-rpmutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flags of a file in an RPM.
const (
	flagConfig    = 1 << 0
	flagNoReplace = 1 << 4
)

// typeDirectory is the part of a mode that says directory.
const typeDirectory = 0o040000

// pack makes an RPM of nfpm.yaml with small files in place of the programs.
func pack(t *testing.T, arch string) *rpmutils.Rpm {
	t.Helper()
	work, target := t.TempDir(), t.TempDir()
	for _, name := range []string{"otelcol-legato", "callid", "callsim", "callarchive"} {
		require.NoError(t, os.WriteFile(filepath.Join(work, name), []byte(name), 0o600))
	}
	command := exec.CommandContext(t.Context(), "go", "tool", "nfpm", "package", "--config", "nfpm.yaml", "--packager", "rpm", "--target", target)
	command.Env = append(os.Environ(), "WORK="+work, "ARCH="+arch, "VERSION=0.1.0", "SOURCE_DATE_EPOCH=1700000000")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	made, err := filepath.Glob(filepath.Join(target, "*.rpm"))
	require.NoError(t, err)
	require.Len(t, made, 1)
	file, err := os.Open(made[0])
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })
	r, err := rpmutils.ReadRpm(file)
	require.NoError(t, err)
	return r
}

// What the RPM says of itself, of each file, and what it does before and after.
func TestRPM(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		r := pack(t, arch)
		nevra, err := r.Header.GetNEVRA()
		require.NoError(t, err)
		assert.Equal(t, "legato-0.1.0-1."+want, fmt.Sprintf("%s-%s-%s.%s", nevra.Name, nevra.Version, nevra.Release, nevra.Arch))
		requires, err := r.Header.GetStrings(rpmutils.REQUIRENAME)
		require.NoError(t, err)
		assert.Subset(t, requires, []string{"shadow-utils", "ca-certificates"})
		assertFiles(t, r)
		assertScripts(t, r)
		assertPayload(t, r)
	}
}

func assertFiles(t *testing.T, r *rpmutils.Rpm) {
	t.Helper()
	type entry struct{ mode, flags int }
	config := flagConfig | flagNoReplace
	want := map[string]entry{
		"/usr/bin/otelcol-legato": {0o755, 0}, "/usr/bin/legato-callid": {0o755, 0}, "/usr/bin/legato-callsim": {0o755, 0},
		"/usr/bin/legato-callarchive": {0o755, 0}, "/lib/systemd/system/legato.service": {0o644, 0},
		"/etc/legato/config.yaml": {0o644, config}, "/etc/legato/legato.env": {0o600, config},
		"/usr/share/doc/legato/copyright": {0o644, 0},
		"/etc/legato":                     {typeDirectory | 0o755, 0}, "/var/lib/legato": {typeDirectory | 0o750, 0},
	}
	files, err := r.Header.GetFiles()
	require.NoError(t, err)
	got := map[string]entry{}
	for _, f := range files {
		got[f.Name()] = entry{f.Mode() & (typeDirectory | 0o7777), f.Flags()}
		assert.Equal(t, "root:root", f.UserName()+":"+f.GroupName(), f.Name())
	}
	assert.Equal(t, want, got)
}

// assertScripts holds that each script is there, as it is in scripts/.
func assertScripts(t *testing.T, r *rpmutils.Rpm) {
	t.Helper()
	for tag, name := range map[int]string{
		rpmutils.PREIN: "preinstall.sh", rpmutils.POSTIN: "postinstall.sh", rpmutils.PREUN: "preremove.sh", rpmutils.POSTUN: "postremove.sh",
	} {
		text, err := r.Header.GetString(tag)
		require.NoError(t, err, name)
		want, err := os.ReadFile(filepath.Join("scripts", name))
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(want)), strings.TrimSpace(text), name)
	}
}

// assertPayload holds that each file has the bytes that its digest is of.
func assertPayload(t *testing.T, r *rpmutils.Rpm) {
	t.Helper()
	payload, err := r.PayloadReaderExtended()
	require.NoError(t, err)
	contents := map[string]string{}
	for {
		info, err := payload.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if info.Mode()&typeDirectory != 0 {
			continue
		}
		content, err := io.ReadAll(payload)
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		assert.Equal(t, info.Digest(), hex.EncodeToString(sum[:]), info.Name())
		contents[info.Name()] = string(content)
	}
	assert.Equal(t, "otelcol-legato", contents["/usr/bin/otelcol-legato"])
	for name, source := range map[string]string{"/etc/legato/config.yaml": "config.yaml", "/lib/systemd/system/legato.service": "legato.service"} {
		want, err := os.ReadFile(source)
		require.NoError(t, err)
		assert.Equal(t, string(want), contents[name])
	}
}

// What the scripts ask of systemd, as Debian's and RPM's tools call them: a service that
// an administrator stopped or disabled stays so, and none is stopped in an upgrade.
func TestScripts(t *testing.T) {
	f := func(script, arguments string, want ...string) {
		t.Helper()
		directory := t.TempDir()
		stub := func(name, text string) {
			require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700)) // #nosec G306 -- a program
		}
		calls := filepath.Join(directory, "calls")
		stub("systemctl", `echo "$@" >>`+calls)
		stub("chown", "")
		stub("chmod", "")
		text, err := os.ReadFile(filepath.Join("scripts", script))
		require.NoError(t, err)
		changed := strings.NewReplacer("/run/systemd/system", directory, "/var/lib/legato", filepath.Join(directory, "lib"),
			"/etc/legato", filepath.Join(directory, "etc")).Replace(string(text))
		for _, kept := range []string{"lib", "etc"} {
			require.NoError(t, os.Mkdir(filepath.Join(directory, kept), 0o700))
		}
		command := exec.CommandContext(t.Context(), "sh", append([]string{"-c", changed, script}, strings.Split(arguments, ",")...)...)
		command.Env = append(os.Environ(), "PATH="+directory+":"+os.Getenv("PATH"))
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		asked, err := os.ReadFile(calls)
		if !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
		assert.Equal(t, want, strings.Split(strings.TrimSpace(string(asked)), "\n"), "%s %s", script, arguments)
		_, err = os.Stat(filepath.Join(directory, "lib"))
		assert.Equal(t, arguments == "purge", errors.Is(err, os.ErrNotExist), "%s %s: what was recorded", script, arguments)
	}
	nothing := ""
	f("postinstall.sh", "configure,", "daemon-reload", "enable --now legato.service")     // Debian, first
	f("postinstall.sh", "configure,0.1.0", "daemon-reload", "try-restart legato.service") // Debian, upgrade
	f("postinstall.sh", "1", "daemon-reload")                                             // RPM, first
	f("postinstall.sh", "2", "daemon-reload", "try-restart legato.service")               // RPM, upgrade
	f("preremove.sh", "upgrade,0.1.1", nothing)                                           // Debian
	f("preremove.sh", "1", nothing)                                                       // RPM, upgrade
	f("preremove.sh", "remove", "disable --now legato.service")                           // Debian
	f("preremove.sh", "0", "disable --now legato.service")                                // RPM
	f("postremove.sh", "remove", "daemon-reload")                                         // Debian
	f("postremove.sh", "0", "daemon-reload")                                              // RPM
	f("postremove.sh", "purge", "daemon-reload")                                          // Debian
}
