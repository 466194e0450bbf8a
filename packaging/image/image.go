// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user owns the state and runs the Collector; its number is the one of the images of
// OpenTelemetry's own distributions.
const user = 10001

// state is the directory that survives the container.
const state = "/var/lib/legato"

// Source describes the contents of an image.
type Source struct {
	// Programs is a directory with otelcol-legato, callarchive and callsim for Linux.
	Programs string
	// Configuration is the file that becomes /etc/legato/config.yaml.
	Configuration string
	// Architecture is as in GOARCH.
	Architecture string
	Version      string
	// Revision is the commit, for a label; empty leaves the label out.
	Revision string
	// Time is the time of all files and of the image: the commit's.
	Time time.Time
}

// Image is the image of one architecture, and its file system as a tar, which
// deploy/Dockerfile adds to an empty image.
type Image struct {
	v1.Image

	Root []byte
}

// goGC names the Go runtime's setting of its garbage collector. The other variables are the
// configuration's.
const goGC = "GOGC"

// environment has the image's defaults. Inside a container, localhost cannot be reached from
// outside: health and metrics are for all who reach the container. The page is not, because it
// shows who met whom and has no password: LEGATO_PAGE opens it. GOGC is that of the packages' unit.
var environment = map[string]string{
	goGC:                    "200",
	"LEGATO_STORAGE":        state,
	"LEGATO_HEALTH":         "0.0.0.0:13133",
	"LEGATO_METRICS":        "0.0.0.0:9464",
	"LEGATO_TELEMETRY_HOST": "0.0.0.0",
}

// ports: the bridges' posts, the page, metrics of meetings and of the Collector, health.
var ports = []string{"8080/tcp", "8088/tcp", "9464/tcp", "8888/tcp", "13133/tcp"}

// configuration is the image's configuration for a container runtime.
func configuration(s Source) v1.Config {
	c := v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{"/otelcol-legato"},
		Cmd:          []string{"--config=/etc/legato/config.yaml"},
		WorkingDir:   state,
		Volumes:      map[string]struct{}{state: {}},
		ExposedPorts: map[string]struct{}{},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "legato",
			"org.opencontainers.image.description": "OpenTelemetry Collector for Cisco meeting estates",
			"org.opencontainers.image.source":      "https://github.com/legato-otel/legato",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     s.Version,
		},
	}
	if s.Revision != "" {
		c.Labels["org.opencontainers.image.revision"] = s.Revision
	}
	for _, port := range ports {
		c.ExposedPorts[port] = struct{}{}
	}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		c.Env = append(c.Env, name+"="+environment[name])
	}
	return c
}

// system are the files that change with the project's configuration and Mozilla's
// certificates only.
func system(s Source) []file {
	return []file{
		{path: "etc", mode: 0o755},
		{path: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "legato:x:%d:\n", user)},
		{path: "etc/legato", mode: 0o755},
		{path: "etc/legato/config.yaml", mode: 0o644, source: s.Configuration},
		{path: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "legato:x:%d:%d::%s:/sbin/nologin\n", user, user, state)},
		{path: "etc/ssl", mode: 0o755},
		{path: "etc/ssl/certs", mode: 0o755},
		{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates()},
		{path: "tmp", mode: 0o1777},
		{path: "usr", mode: 0o755},
		{path: "usr/bin", mode: 0o755},
		{path: "var", mode: 0o755},
		{path: "var/lib", mode: 0o755},
		{path: state[1:], mode: 0o750, user: user},
	}
}

func programs(s Source) []file {
	return []file{
		{path: "otelcol-legato", mode: 0o755, source: filepath.Join(s.Programs, "otelcol-legato")},
		{path: "usr/bin/legato-callarchive", mode: 0o755, source: filepath.Join(s.Programs, "callarchive")},
		{path: "usr/bin/legato-callsim", mode: 0o755, source: filepath.Join(s.Programs, "callsim")},
	}
}

// New makes the image of one architecture.
func New(s Source) (*Image, error) {
	if s.Architecture == "" {
		s.Architecture = runtime.GOARCH
	}
	made := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	made = mutate.ConfigMediaType(made, types.OCIConfigJSON)
	made, err := mutate.ConfigFile(made, &v1.ConfigFile{
		Architecture: s.Architecture, OS: "linux", Created: v1.Time{Time: s.Time}, Config: configuration(s),
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name  string
		files []file
	}{{"certificates, configuration, state directory", system(s)}, {"programs", programs(s)}} {
		content, err := archive(part.files, s.Time)
		if err != nil {
			return nil, err
		}
		l, err := layer(content)
		if err != nil {
			return nil, err
		}
		history := v1.History{Created: v1.Time{Time: s.Time}, CreatedBy: "packaging/image: " + part.name}
		if made, err = mutate.Append(made, mutate.Addendum{Layer: l, History: history}); err != nil {
			return nil, err
		}
	}
	root, err := archive(append(system(s), programs(s)...), s.Time)
	return &Image{Image: made, Root: root}, err
}
