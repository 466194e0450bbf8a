// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// A name is found whatever the locale of the database takes for a capital letter.
func TestLocale(t *testing.T) {
	source := postgres.Shared(t).Database(t)
	connection, err := pgx.Connect(t.Context(), source)
	require.NoError(t, err)
	defer connection.Close(t.Context())
	address, err := url.Parse(source)
	require.NoError(t, err)
	name := pgx.Identifier{address.Path[1:] + "_utf8"}
	_, err = connection.Exec(t.Context(), "CREATE DATABASE "+name.Sanitize()+" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
	require.NoError(t, err)
	var folded string
	address.Path = "/" + name[0]
	other, err := pgx.Connect(t.Context(), address.String())
	require.NoError(t, err)
	require.NoError(t, other.QueryRow(t.Context(), "SELECT lower('Ż')").Scan(&folded))
	require.NoError(t, other.Close(t.Context()))
	require.Equal(t, "ż", folded, "a locale in which the database's lower() makes a difference")

	s := openTest(t, PostgreSQL, address.String())
	_, err = s.Write(t.Context(), &Batch{Legs: []Leg{{
		Object: Object{ID: "l", TraceID: "t", SpanID: "s", State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched},
		Room:   Room{RoomName: "Żubr"}, DisplayName: "Żaneta", CallID: "c",
	}}})
	require.NoError(t, err)
	v, err := s.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	for _, few := range []int{1, 1000} {
		limits(t, few, 1000)
		for _, f := range []Filter{{Party: "Ża"}, {Party: "ŻANETA"}, {Party: "ŻAN", PartyAnywhere: true}, {Room: "Żu"}} {
			l, err := v.Legs(t.Context(), f, Page{Limit: 5})
			require.NoError(t, err)
			assert.Len(t, l.Rows, 1, "%+v", f)
		}
	}
}

// A database that cannot hold UTF-8 is refused; what a client's environment says of the
// encoding makes no difference.
func TestEncoding(t *testing.T) {
	source := postgres.Shared(t).Database(t)
	connection, err := pgx.Connect(t.Context(), source)
	require.NoError(t, err)
	defer connection.Close(t.Context())
	address, err := url.Parse(source)
	require.NoError(t, err)
	name := pgx.Identifier{address.Path[1:] + "_latin1"}
	_, err = connection.Exec(t.Context(), "CREATE DATABASE "+name.Sanitize()+" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
	require.NoError(t, err)
	latin := *address
	latin.Path = "/" + name[0]
	_, err = Open(t.Context(), PostgreSQL, latin.String())
	require.ErrorContains(t, err, "encoding LATIN1")
	require.NotErrorIs(t, err, ErrUnreachable)

	query := address.Query()
	query.Set("client_encoding", "LATIN1")
	address.RawQuery = query.Encode()
	s := openTest(t, PostgreSQL, address.String())
	row := oneRow(t, s, closedAs("complete", 1, func(l *Leg) { l.DisplayName = "Żaneta 会議" }))
	assert.Equal(t, "Żaneta 会議", row.DisplayName)
}
