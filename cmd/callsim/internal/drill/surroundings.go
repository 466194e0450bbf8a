// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// backendDown is the drill of a backend that refuses everything for a while. A made-up bridge
// posts meetings meanwhile, so that the queue of the exporter grows.
func backendDown(ctx context.Context, s *Settings) (err error) {
	var healthy atomic.Bool
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Backend)
	if err != nil {
		return fmt.Errorf("-backend: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		if closed := <-served; !errors.Is(closed, http.ErrServerClosed) {
			err = errors.Join(err, closed)
		}
	}()
	hold := s.hold(standardHold)
	s.reportBegin(hold)
	bridge := s.newSession()
	if err := repeat(ctx, hold, func() error { return bridge.meet(ctx) }); err != nil {
		return err
	}
	healthy.Store(true)
	return s.recovered(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}

// fillerName is the file that fills a disk.
const fillerName = "callsim-drill-filler"

// diskFull fills the disk of a directory for a while. A made-up bridge posts the beginnings of
// meetings meanwhile, since the Collector fails only when its state grows; they end with the
// drill.
func diskFull(ctx context.Context, s *Settings) error {
	name := filepath.Join(s.Directory, fillerName)
	filler, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("-directory: %w", err)
	}
	bridge := s.newSession()
	failed := fillDisk(ctx, filler, s.MaxFill)
	if failed == nil {
		hold := s.hold(standardHold)
		s.reportBegin(hold)
		failed = repeat(ctx, hold, func() error { return bridge.beginMeeting(ctx) })
	}
	if err := errors.Join(filler.Close(), os.Remove(name)); err != nil {
		return errors.Join(failed, fmt.Errorf("remove %s by hand: %w", name, err))
	}
	s.Report("the disk has room again")
	ending, cancel := undo(ctx)
	defer cancel()
	return errors.Join(failed, bridge.endMeetings(ending))
}

// fillDisk writes to a file until its disk has no room for another byte. Random bytes are not
// compressed away.
func fillDisk(ctx context.Context, filler *os.File, most int64) error {
	piece := make([]byte, 1<<20)
	_, _ = rand.Read(piece) // never fails
	for written := int64(0); len(piece) > 0; {
		n, err := filler.Write(piece)
		written += int64(n)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			piece = piece[:len(piece)/2]
		case err != nil:
			return fmt.Errorf("-directory: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		case written >= most:
			return fmt.Errorf("-directory: %d bytes do not fill its disk: use a test system with a small one, or raise -max-fill", most)
		}
	}
	return nil
}
