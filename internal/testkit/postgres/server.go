// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// Server is a running cluster, whose owner is "postgres" and who trusts
// everybody on this machine.
type Server struct {
	bin, dir string
	port     int
	settings string // of the server's command line
	database atomic.Int64
}

// attempts to start on a free port: somebody may take it in between.
const attempts = 3

// New starts a server that is stopped when the test is over.
func New(tb testing.TB) *Server {
	tb.Helper()
	s, err := Launch("fsync=off")
	refuse(tb, err)
	tb.Cleanup(s.Stop)
	return s
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the server of all tests of a package, whose TestMain calls
// [StopShared]. It is started when it is first asked for.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = Launch("fsync=off") })
	refuse(tb, shared.err)
	return shared.server
}

// StopShared stops the server of all tests, if there is one.
func StopShared() {
	if shared.server != nil {
		shared.server.Stop()
	}
}

// ErrNotInstalled is the error of [Launch] on a machine without the programs.
var ErrNotInstalled = errors.New("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")

func refuse(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNotInstalled) && os.Getenv("LEGATO_REQUIRE_POSTGRES") == "":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

// Launch starts a server with settings, as "fsync=off", which is enough where
// only processes are killed. The caller stops it.
func Launch(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "legato-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir}
	for _, setting := range settings {
		s.settings += " -c " + setting
	}
	if err := s.own(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for range attempts {
		if s.port, err = loopback.Port(); err != nil {
			break
		}
		if err = s.Start(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// programs returns the directory of the newest installed server.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	other, _ := filepath.Glob("/usr/pgsql-*/bin/initdb")
	found = append(found, other...)
	if len(found) == 0 {
		path, err := exec.LookPath("initdb")
		if err != nil {
			return "", ErrNotInstalled
		}
		return filepath.Dir(path), nil
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(filepath.Dir(path))), "pgsql-"))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// run runs one of the server's programs, as its owner.
func (s *Server) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...) //nolint:gosec // one of PostgreSQL's programs
	cmd.Dir = s.dir
	if err := s.as(cmd); err != nil {
		return err
	}
	// A file and no pipe: the server that pg_ctl leaves behind would hold it.
	output, err := os.CreateTemp("", "legato-postgres-output-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(output.Name()) }()
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(output.Name())
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s: %w\n%s%s", program, err, text, log)
	}
	return nil
}

// Start starts the server anew, on the same port, with the same data.
func (s *Server) Start() error {
	return s.run("pg_ctl", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-w", "-t", "60",
		"-o", fmt.Sprintf("-h 127.0.0.1 -p %d -k ''%s", s.port, s.settings), "start")
}

// Kill kills the server and all its processes as kill -9 does.
func (s *Server) Kill() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(string(line))
	if err != nil {
		return err
	}
	if err := kill(pid); err != nil {
		return err
	}
	// Where orphans are not reaped at once, a dead process keeps its number, and the server
	// would assume that it runs.
	return os.Remove(filepath.Join(s.data(), "postmaster.pid"))
}

// Stop stops the server and removes its data.
func (s *Server) Stop() {
	_ = s.run("pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop")
	_ = os.RemoveAll(s.dir)
}

// URL is the connection string of a database.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Database makes an empty database and returns its connection string.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	url, err := s.Create(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// Create is Database without a test.
func (s *Server) Create(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close(ctx) }()
	name := fmt.Sprintf("test%d", s.database.Add(1))
	if _, err := connection.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return s.URL(name), nil
}
