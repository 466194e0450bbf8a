// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// deployed are the files outside of config/ that hold a configuration of the Collector,
// with the keys that lead to it. packaging/deploy tests what is around it.
var deployed = map[string][]string{
	"packaging/config.yaml":       nil,
	"deploy/helm/values.yaml":     {"alternateConfig"},
	"deploy/operator/legato.yaml": {"spec", "config"},
}

// deployedConfigurations returns the configurations in these files, by file.
func deployedConfigurations(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, keys := range deployed {
		content, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		text := string(content)
		if len(keys) > 0 {
			text = part(t, name, content, keys)
		}
		found[name] = text
	}
	return found
}

// part returns the YAML below the keys, in the first document of a file.
func part(t *testing.T, name string, content []byte, keys []string) string {
	t.Helper()
	var value map[string]any
	require.NoError(t, yaml.NewDecoder(strings.NewReader(string(content))).Decode(&value), name)
	for _, key := range keys {
		inner, isMap := value[key].(map[string]any)
		require.True(t, isMap, "%s has no %s", name, key)
		value = inner
	}
	text, err := yaml.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// The binary accepts the configurations of the package, the image and Kubernetes.
func TestDeployedConfigurations(t *testing.T) {
	for name, text := range deployedConfigurations(t) {
		file := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		output, err := validate(t, file)
		assert.NoError(t, err, "%s:\n%s", name, output)
	}
}

// packaging/legato.env lists each variable of packaging/config.yaml with its default, except the
// directory, which the unit sets. docs/install.md refers to that list.
func TestPackagedEnvironment(t *testing.T) {
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(root, "packaging", name))
		require.NoError(t, err)
		return string(content)
	}
	defaults := regexp.MustCompile(`\$\{env:(LEGATO_[A-Z_]+):-([^}]*)\}`).FindAllStringSubmatch(read("config.yaml"), -1)
	require.Greater(t, len(defaults), 4)
	environment, unit := read("legato.env"), read("legato.service")
	for _, d := range defaults {
		if d[1] == "LEGATO_STORAGE" {
			assert.Contains(t, unit, d[1]+"="+d[2])
			continue
		}
		assert.Contains(t, environment, "\n#"+d[1]+"="+d[2]+"\n")
	}
}

// Each file in deploy/ is loaded by a test: configurations here, deploy/Dockerfile by
// packaging/image.
func TestDeployFiles(t *testing.T) {
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "deploy"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if name != "deploy/Dockerfile" {
			assert.Contains(t, deployed, filepath.ToSlash(name), "no test loads it")
		}
		return err
	}))
}
