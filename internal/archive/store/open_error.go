// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openError adds the file or the server and database to an error of [Open], and the remedy
// if it is known and not in the error already. It never has the password.
func openError(driver, source string, err error) error {
	var place, remedy string
	switch driver {
	case SQLite:
		path, failed := filepath.Abs(source)
		if failed != nil {
			path = source
		}
		if onPath, ok := errors.AsType[*fs.PathError](err); ok && onPath.Path == path {
			err = onPath.Err // the place has the path
		}
		place, remedy = fmt.Sprintf("SQLite file %q", path), sqliteRemedy(err)
	case PostgreSQL:
		config, failed := pgxpool.ParseConfig(source)
		if failed != nil {
			return err // by CheckConnection
		}
		place, remedy = postgresPlace(&config.ConnConfig.Config), postgresRemedy(err)
	default:
		return err
	}
	if remedy == "" || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", place, err)
	}
	return fmt.Errorf("%s: %w: %s", place, err, remedy)
}

// sqliteRemedy returns the remedy of an error of a file, "" if it is not known.
func sqliteRemedy(err error) string {
	code := 0
	if coded, ok := errors.AsType[*sqlite.Error](err); ok {
		code = coded.Code() & 0xff
	}
	switch {
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return "it is no SQLite database or is damaged; restore a backup, or move it away so that a new one is created"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS),
		code == sqlite3.SQLITE_PERM, code == sqlite3.SQLITE_READONLY, code == sqlite3.SQLITE_CANTOPEN:
		return "the user of this process must be able to read and write the file and its directory"
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "datasource must be the name of a file in a directory"
	case errors.Is(err, syscall.ENOSPC), code == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR:
		return "check the disk and its free space"
	case code == sqlite3.SQLITE_BUSY:
		return "another process holds its locks; end that process, or use driver postgres"
	default:
		return ""
	}
}

// postgresPlace names the database and each server of a connection string.
func postgresPlace(config *pgconn.Config) string {
	servers := []string{serverAddress(config.Host, config.Port)}
	for _, fallback := range config.Fallbacks { // a server is there once for each of its TLS modes
		if address := serverAddress(fallback.Host, fallback.Port); !slices.Contains(servers, address) {
			servers = append(servers, address)
		}
	}
	database := config.Database
	if database == "" {
		database = config.User // the server's default
	}
	return fmt.Sprintf("PostgreSQL database %q at %s", database, strings.Join(servers, ", "))
}

func serverAddress(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return host // the directory of a Unix socket
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// postgresRemedy returns the remedy of an error of a server, "" if it is not known.
func postgresRemedy(err error) string {
	var code string
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok {
		code = coded.Code
	}
	switch {
	case strings.HasPrefix(code, "28"):
		return "check the user, its password (PGPASSWORD or PGPASSFILE) and the server's pg_hba.conf"
	case code == "3D000":
		return "create the database, as with createdb -E UTF8 -T template0"
	case code == "42501":
		return "the user must be able to create tables: make it the owner of the database, or GRANT CREATE ON SCHEMA public to it"
	case errors.Is(err, ErrUnreachable):
		return "check that the server runs, listens at this address and accepts another connection"
	default:
		return ""
	}
}
