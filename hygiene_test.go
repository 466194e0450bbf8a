// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package legato_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

// goFiles returns the project's own Go files that are not generated.
func goFiles(t *testing.T) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "build" || path == "dist" || path == "data" || path == ".git"):
			return fs.SkipDir
		case filepath.Ext(path) == ".go" && !strings.HasPrefix(filepath.Base(path), "generated_"):
			files = append(files, path)
		}
		return nil
	}))
	require.NotEmpty(t, files)
	return files
}

func TestLicenceHeaders(t *testing.T) {
	const header = "// Copyright The legato Authors\n// SPDX-License-Identifier: Apache-2.0\n"
	for _, file := range goFiles(t) {
		assert.True(t, strings.HasPrefix(read(t, file), header), "%s lacks the licence header", file)
	}
}

// A package says once what it is, in which order things happen and who owns what.
func TestPackageDocumentation(t *testing.T) {
	documented := map[string]int{}
	for _, file := range goFiles(t) {
		directory := filepath.Dir(file)
		documented[directory] += 0
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		require.NoError(t, err)
		if parsed.Doc != nil {
			documented[directory]++
		}
	}
	for directory, times := range documented {
		assert.Equal(t, 1, times, "package comments in %s", directory)
	}
}

// components returns the folders of all components, by class.
func components(t *testing.T) (folders []string) {
	t.Helper()
	for _, class := range []string{"receiver", "processor", "connector", "exporter"} {
		found, err := filepath.Glob(class + "/*" + class)
		require.NoError(t, err)
		folders = append(folders, found...)
	}
	require.NotEmpty(t, folders)
	return folders
}

// Each component is in the distribution, and has the files a reader looks for.
func TestComponents(t *testing.T) {
	manifest, rules := read(t, "builder-config.yaml"), read(t, ".golangci.yml")
	for _, folder := range components(t) {
		assert.Contains(t, manifest, "import: github.com/legato-otel/legato/"+folder+"\n", "%s is not in the manifest", folder)
		assert.Contains(t, rules, `allow: ["github.com/legato-otel/legato/`+folder+`"]`, "%s has no depguard rule", folder)
		for _, name := range []string{
			"doc.go", "metadata.yaml", "config.go", "factory.go", "README.md", "documentation.md", "config.schema.yaml", "generated_component_test.go",
		} {
			assert.FileExists(t, filepath.Join(folder, name))
		}
		if config := read(t, filepath.Join(folder, "config.go")); strings.Contains(config, "time.Duration") {
			assert.Contains(t, config, "durations.Check(c, leastDurations)", "%s accepts a duration without a unit", folder)
		}
		assert.Contains(t, read(t, "README.md"), folder+"/README.md", "%s is not in the README's table", folder)
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The README is short, and what it shows loads. test/e2e starts the binary with
// its complete configurations.
func TestReadme(t *testing.T) {
	readme := read(t, "README.md")
	assert.LessOrEqual(t, strings.Count(readme, "\n"), 150)
	blocks := yamlBlock.FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var content map[string]any
		assert.NoError(t, yaml.Unmarshal([]byte(block[1]), &content), block[1])
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(readme, -1) {
		_, err := os.Stat(link[1])
		assert.NoError(t, err, "the README links to %s", link[1])
	}
}

var requirement = regexp.MustCompile(`(?m)^\t(?:require )?([a-z0-9./_-]+) (v[^ \n]+)( // indirect)?$`)

// One release pair for all modules of the Collector, in the modules and in the
// manifest; the manifest says where a neighbour has to do.
func TestOneRelease(t *testing.T) {
	for _, file := range []string{"go.mod", "test/go.mod", "tools/go.mod"} {
		for _, m := range requirement.FindAllStringSubmatch(read(t, file), -1) {
			if strings.HasPrefix(m[1], "go.opentelemetry.io/collector") || strings.Contains(m[1], "opentelemetry-collector-contrib") {
				assert.Contains(t, []string{"v0.158.0", "v1.64.0"}, m[2], "%s: %s", file, m[1])
			}
		}
	}
	neighbour := regexp.MustCompile(`/(routingconnector v0\.157\.0|signaltometricsconnector v0\.156\.0|healthcheckv2extension v0\.155\.0)\n$`)
	for line := range strings.Lines(read(t, "builder-config.yaml")) {
		if _, module, found := strings.Cut(line, "gomod: "); found && !strings.Contains(line, "legato") && !neighbour.MatchString(module) {
			assert.Regexp(t, ` (v0\.158\.0|v1\.64\.0)\n$`, module)
		}
	}
}

// The root module is part of everybody's build who adds a component: it requires
// no peer of a benchmark, no build tool, and nothing of contrib.
func TestRootModule(t *testing.T) {
	content := read(t, "go.mod")
	assert.NotContains(t, content, "\ntool ")
	assert.NotContains(t, content, "\nreplace ")
	const contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/"
	for _, m := range requirement.FindAllStringSubmatch(content, -1) {
		if m[1] == contrib+"pkg/stanza" || m[1] == contrib+"internal/coreinternal" {
			continue
		}
		for _, foreign := range []string{"opentelemetry-collector-contrib", "gorilla/", "/cmd/", "otlpreceiver", "golangci"} {
			assert.NotContains(t, m[1], foreign)
		}
	}
}

// Every direct dependency has a reason.
func TestDependenciesHaveReasons(t *testing.T) {
	reasons := read(t, "CONTRIBUTING.md")
	for _, m := range requirement.FindAllStringSubmatch(read(t, "go.mod")+read(t, "test/go.mod"), -1) {
		if m[3] != "" || m[1] == "github.com/legato-otel/legato" {
			continue
		}
		name := m[1]
		for _, family := range []string{"go.opentelemetry.io/collector", "github.com/open-telemetry/opentelemetry-collector-contrib"} {
			if strings.HasPrefix(name, family) {
				name = family + "/..."
			}
		}
		name = strings.TrimPrefix(name, "go.opentelemetry.io/otel")
		if name == "" {
			name = "go.opentelemetry.io/otel"
		}
		if !strings.Contains(reasons, name+"`") {
			assert.Fail(t, "dependency without a reason", "%s is not in CONTRIBUTING.md", m[1])
		}
	}
}

// Whether to give up is asked in one way: consumererror's own is true as soon as
// one branch of a pipeline refuses.
func TestOneIsPermanent(t *testing.T) {
	for _, file := range goFiles(t) {
		own := strings.HasPrefix(file, "internal/otel/consume/") || strings.HasPrefix(file, "test/") || strings.HasSuffix(file, "_test.go")
		if !own && strings.Contains(read(t, file), "consumererror.IsPermanent(") {
			assert.Fail(t, "consumererror.IsPermanent is used", "%s: use internal/otel/consume", file)
		}
	}
}

var testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]+\b`)

// A document that names a test names one that exists.
func TestNamedTests(t *testing.T) {
	var code strings.Builder
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			code.WriteString(read(t, file))
		}
	}
	documents, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, document := range append(documents, "CONTRIBUTING.md", "README.md") {
		for _, name := range testName.FindAllString(read(t, document), -1) {
			if !strings.Contains(code.String(), "func "+name) {
				assert.Fail(t, "no such test", "%s names %s", document, name)
			}
		}
	}
}
