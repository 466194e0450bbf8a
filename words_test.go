// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package legato_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// phrase is a habit of prose, with the plain form.
type phrase struct {
	pattern *regexp.Regexp
	instead string
}

// phrases are habits of prose that make a reader stop, each with the plain form. They
// hold for comments, error texts and documents; CONTRIBUTING.md, section Language, has
// the reasons.
var phrases = []phrase{
	{regexp.MustCompile(`(?i)\bfor good\b`), "permanently, with a permanent error"},
	{regexp.MustCompile(`(?i)\bfor ever\b`), "without end, permanently"},
	{regexp.MustCompile(`(?i)\bhas the last word\b`), "counts, overrides"},
	{regexp.MustCompile(`(?i)\bnot the whole truth\b`), "incomplete"},
	{regexp.MustCompile(`(?i)\bwhoever\b`), "name the party"},
	{regexp.MustCompile(`(?i)\bwhat (is|was|are|were|has|had) (known|told|said|open|due)\b`), "name the thing"},
	{regexp.MustCompile(`(?i)\bbe that as it may\b|\bas good as\b|\bat the latest moment\b`), "say it directly"},
	{regexp.MustCompile(`(?i)\bso that (those|who|what)\b`), "name the party"},
	{regexp.MustCompile(`(?i)\b(is|are|was|were) told (of|by|to)\b`), "name the actor: X sends, X reports"},
}

// commentPhrases are further habits, which documents may need.
var commentPhrases = append([]phrase{
	{regexp.MustCompile(`(?i)\btells (whether|that)\b`), "reports whether, as in Go's own documentation"},
	{regexp.MustCompile(`(?i)\b(is|are|returns|holds|counts) what\b`), "name the thing"},
	{regexp.MustCompile(`(?i)\b(goes|go) on\b`), "continues"},
	{regexp.MustCompile(`(?i)\bnobody\b`), "name the party"},
}, phrases...)

// verbs are names that say what is done without saying to what.
var verbs = regexp.MustCompile(`^(told|untold|owed|owe|said|say|tell|noted|judge|settle|carry|haunt|bury|grave|story|ghosts?|moment|tally|harmless|intake|keep|kept|came|coming|going|gone|together|what|who|happening|manner)$`)

// TestLanguage holds the language of comments, names and documents.
func TestLanguage(t *testing.T) {
	set := token.NewFileSet()
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") || file == "words_test.go" {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, group := range parsed.Comments {
			checkPhrases(t, commentPhrases, set.Position(group.Pos()).String(), group.Text())
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, name := range declared(n) {
				if verbs.MatchString(name.Name) {
					assert.Fail(t, "name without an object", "%s: %s", set.Position(name.Pos()), name.Name)
				}
			}
			return true
		})
	}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "build" || path == "dist" || path == "data" || path == ".git" || entry.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(path) == ".md" && path != "CHANGELOG.md":
			checkPhrases(t, phrases, path, read(t, path))
		}
		return nil
	}))
}

func checkPhrases(t *testing.T, habits []phrase, where, text string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, habit := range habits {
		if found := habit.pattern.FindString(text); found != "" {
			assert.Fail(t, "phrase", "%s: %q; instead: %s", where, found, habit.instead)
		}
	}
}

// declared returns the names that a node declares at package level, as fields, or as
// methods.
func declared(n ast.Node) (declaredNames []*ast.Ident) {
	switch d := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{d.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{d.Name}
	case *ast.StructType:
		for _, field := range d.Fields.List {
			declaredNames = append(declaredNames, field.Names...)
		}
	case *ast.File:
		for _, decl := range d.Decls {
			if g, ok := decl.(*ast.GenDecl); ok {
				for _, spec := range g.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						declaredNames = append(declaredNames, v.Names...)
					}
				}
			}
		}
	}
	return declaredNames
}
