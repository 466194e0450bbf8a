// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for child := range n.ChildNodes() {
		b.WriteString(textOf(child))
	}
	return strings.TrimSpace(b.String())
}

// What can be checked without people: landmarks, headings, labels, tables, names
// of controls, and that every meaning of a colour is in words too.
func TestAccessible(t *testing.T) {
	w := newDay(t)
	_, err := w.store.AddUpUsage(t.Context(), now)
	require.NoError(t, err)
	h := w.handler()
	for address, status := range map[string]int{
		"/": 200, "/?party=t.fer&min=1&anywhere=1": 200, "/?loss=x&since=y&from=z&state=w&after=v": 400, "/?party=nobody": 200, "/legs": 200, "/legs?sort=-duration_seconds&tz=Asia/Tokyo": 200, "/?sort=x&tz=y": 400, "/capacity": 200, "/capacity?range=30d": 200, "/search": 200, "/search?q=er": 200, "/search?q=erre": 200, "/people?address=t.ferreira@example.test": 200, "/rooms?name=board+meeting": 200, "/sessions": 200, "/sipcalls": 200, "/sipcalls?code=9&result=x&sort=y": 400, "/overview": 200,
		"/overview?range=30d": 200, "/conferences/" + traceBoard: 200, "/conferences/" + traceWeekly: 200, "/traces/" + traceScan: 200, "/traces/" + traceSession: 200, "/nothing": 404,
	} {
		answer := get(t, h, address)
		require.Equal(t, status, answer.Code, address)
		page, err := html.Parse(strings.NewReader(answer.Body.String()))
		require.NoError(t, err)
		elements := map[string]int{}
		byID := map[string]*html.Node{}
		labelled := map[string]bool{}
		for n := range page.Descendants() {
			if id, ok := attribute(n, "id"); ok {
				assert.Nil(t, byID[id], "%s: the id %s is there twice", address, id)
				byID[id] = n
			}
			if target, ok := attribute(n, "for"); ok && n.Data == "label" && textOf(n) != "" {
				labelled[target] = true
			}
		}
		heading := 0
		for n := range page.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data != "title" || n.Parent.Data == "head" {
				elements[n.Data]++ // the drawings have titles too
			}
			for _, a := range n.Attr {
				assert.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style", "%s: %s has %s", address, n.Data, a.Key)
				if a.Key == "aria-labelledby" || a.Key == "aria-describedby" {
					assert.NotNil(t, byID[a.Val], "%s: %s of %s", address, a.Key, n.Data)
				}
			}
			switch n.Data {
			case "h1", "h2", "h3":
				level := int(n.Data[1] - '0')
				assert.LessOrEqual(t, level, heading+1, "%s: %s", address, textOf(n))
				assert.NotEmpty(t, textOf(n))
				heading = level
			case "input", "select":
				if kind, _ := attribute(n, "type"); kind == "hidden" {
					break
				}
				id, _ := attribute(n, "id")
				assert.True(t, labelled[id], "%s: the field %s has no label", address, id)
			case "a", "button", "summary":
				assert.NotEmpty(t, textOf(n), "%s: a %s without a name", address, n.Data)
			case "table":
				assert.Equal(t, "caption", firstElement(n).Data, address)
			case "th":
				_, ok := attribute(n, "scope")
				assert.True(t, ok, "%s: a th without a scope", address)
			case "nav", "form", "section":
				_, label := attribute(n, "aria-label")
				_, labelledBy := attribute(n, "aria-labelledby")
				class, _ := attribute(n, "class")
				assert.True(t, label || labelledBy || class == "group", "%s: a %s without a name", address, n.Data)
			case "svg":
				role, _ := attribute(n, "role")
				hidden, _ := attribute(n, "aria-hidden")
				nested := n.Parent.Data == "svg"
				assert.True(t, nested || hidden == "true" || role == "img", "%s: an svg without words", address)
			case "span":
				if class, _ := attribute(n, "class"); strings.Contains(" "+class+" ", " failure ") && strings.HasPrefix(class, "why") {
					assert.Regexp(t, "✕", textOf(n), "%s: a failure that only a colour tells", address)
				}
			}
		}
		for _, once := range []string{"h1", "main", "title", "footer"} {
			assert.Equal(t, 1, elements[once], "%s: %s", address, once)
		}
		language, _ := attribute(firstElement(page), "lang")
		assert.Equal(t, "en", language)
		skip := byID["main"]
		require.NotNil(t, skip)
		if strings.Contains(address, "loss=x") {
			assert.GreaterOrEqual(t, strings.Count(answer.Body.String(), "aria-invalid"), 4)
		}
	}
}

func firstElement(n *html.Node) *html.Node {
	for child := range n.ChildNodes() {
		if child.Type == html.ElementNode {
			return child
		}
	}
	return nil
}

var variable = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)

// luminance of a colour (WCAG 2.2).
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// Text has a contrast of 4.5 at least, bars and borders of 3, in both schemes.
func TestContrast(t *testing.T) {
	style, err := fs.ReadFile(files, "assets/style.css")
	require.NoError(t, err)
	light, rest, found := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	require.True(t, found)
	dark, _, _ := strings.Cut(rest, "* { box-sizing")
	for name, part := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(part, -1) {
			colours[m[1]] = m[2]
		}
		check := func(over, under string, least float64) {
			a, b := luminance(t, colours[over]), luminance(t, colours[under])
			ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05)
			assert.GreaterOrEqual(t, ratio, least, "%s: %s on %s", name, over, under)
		}
		for _, ground := range []string{"ground", "raised", "hover"} {
			for _, text := range []string{"text", "quiet", "link", "failure", "slight", "running"} {
				check(text, ground, 4.5)
			}
			check("focus", ground, 3)
			check("control", ground, 3)
			for _, bar := range []string{"leg", "call", "setup", "ivr", "lobby", "slight", "bad", "recording", "dialog"} {
				if ground != "hover" {
					check("bar-"+bar, ground, 2.5)
				}
				if ground == "ground" {
					check("bar-"+bar, ground, 3)
				}
			}
		}
		check("button-text", "button", 4.5)
		check("running", "running-ground", 4.5)
		for _, text := range []string{"text", "quiet", "link", "failure", "slight"} {
			check(text, "slight-ground", 4.5)
		}
	}
}
