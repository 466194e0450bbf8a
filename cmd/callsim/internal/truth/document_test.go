// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/callsim-truth.md anew")

const document = "../../../../docs/callsim-truth.md"

const intro = `# The truth file of callsim

` + "`callsim -truth FILE`" + ` writes one JSON object: everything a perfect observer must conclude from the run. All times are RFC 3339,
on the clock of the bridge in question; durations are in seconds. A field marked *optional* is absent when it has no value.

<!-- written by go test ./cmd/callsim/internal/truth -update from the types -->
`

// TestDocument holds the published format against the types.
func TestDocument(t *testing.T) {
	comments := fieldComments(t)
	var text strings.Builder
	text.WriteString(intro)
	seen := map[reflect.Type]bool{}
	for queue := []reflect.Type{reflect.TypeFor[Truth]()}; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		queue = append(queue, describe(t, &text, queue[0], comments)...)
	}
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.Equal(t, string(want), text.String(), "run the test with -update")
}

// describe writes the table of one type, and returns the types of its fields.
func describe(t *testing.T, text *strings.Builder, of reflect.Type, comments map[string]string) (more []reflect.Type) {
	t.Helper()
	fmt.Fprintf(text, "\n## %s\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n", title(of), comments[of.String()])
	for _, field := range fieldsOf(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		require.NotEmpty(t, name, "%s.%s has no JSON name", of, field.Name)
		kind, object := jsonType(field.Type)
		if object != nil {
			more = append(more, object)
		}
		if strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero") {
			kind += ", optional"
		}
		comment := comments[field.owner+"."+field.Name]
		assert.NotEmpty(t, comment, "%s.%s has no comment", field.owner, field.Name)
		fmt.Fprintf(text, "| `%s` | %s | %s |\n", name, kind, strings.ReplaceAll(comment, "|", "\\|"))
	}
	return more
}

func title(of reflect.Type) string {
	if of == reflect.TypeFor[Truth]() {
		return "The file"
	}
	return of.Name()
}

// field of a JSON object; owner is the type that declares it.
type field struct {
	reflect.StructField
	owner string
}

// fieldsOf returns the fields as encoding/json has them: embedded ones in place.
func fieldsOf(of reflect.Type) (all []field) {
	for f := range of.Fields() {
		switch {
		case f.Anonymous:
			all = append(all, fieldsOf(f.Type)...)
		case f.IsExported() && f.Tag.Get("json") != "-":
			all = append(all, field{f, of.String()})
		}
	}
	return all
}

// jsonType names a type as a reader of JSON knows it, and the object to describe.
func jsonType(of reflect.Type) (name string, object reflect.Type) {
	switch of.Kind() {
	case reflect.Pointer:
		return jsonType(of.Elem())
	case reflect.Slice, reflect.Array:
		if of.Elem().Kind() == reflect.Uint8 {
			return "string, base64", nil
		}
		name, object = jsonType(of.Elem())
		return "array of " + name, object
	case reflect.Map:
		name, object = jsonType(of.Elem())
		return "object of " + name, object
	case reflect.Struct:
		if of.String() == "time.Time" {
			return "time", nil
		}
		return "[" + of.Name() + "](#" + strings.ToLower(of.Name()) + ")", of
	case reflect.String:
		return "string", nil
	case reflect.Bool:
		return "boolean", nil
	default:
		return "number", nil
	}
}

// fieldComments reads the comments of types and fields from the sources: by
// "package.Type" and "package.Type.Field".
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	sources, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				named, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				key := file.Name.Name + "." + named.Name.Name
				comments[key] = oneLine(group.Doc)
				structure, ok := named.Type.(*ast.StructType)
				if !ok {
					continue
				}
				comment := "" // fields that stand together share the first one's
				for _, f := range structure.Fields.List {
					if own := oneLine(f.Doc) + oneLine(f.Comment); own != "" {
						comment = own
					}
					for _, name := range f.Names {
						comments[key+"."+name.Name] = comment
					}
				}
			}
		}
	}
	return comments
}

func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}
