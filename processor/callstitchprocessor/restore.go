// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// partsPerRead is how many parts one batch reads; a storage may take as long for a read as for
// a write.
const partsPerRead = 512

// restore loads the stored state into the engine. It skips damaged parts and returns their
// number, because refusing to start would lose more. A storage that cannot be read is an
// error. So is the state of a newer release, because the processor would overwrite it. No
// other goroutine uses the engine yet.
func (j *segmentLog) restore(ctx context.Context, s *state) (lost int, err error) {
	value, err := j.client.Get(ctx, keyLog)
	if err != nil {
		return 0, fmt.Errorf("storage: read the state: %w", err)
	}
	if value == nil {
		return 0, nil
	}
	_, content, err := unseal(value)
	if errors.Is(err, errVersion) {
		// A newer release wrote all of the state.
		return 0, fmt.Errorf("storage: the state has format %d and this release reads up to %d: "+
			"start the newer release again, or give this one another storage", value[0], formatVersion)
	}
	if err == nil && len(content) != 16 {
		err = errDamaged
	}
	if err != nil {
		j.logger.Error("List of stored segments cannot be read; the calls that were open before this start are lost", zap.Error(err))
		return 1, nil
	}
	j.first, j.next = binary.BigEndian.Uint64(content), binary.BigEndian.Uint64(content[8:])
	j.obsolete = j.first
	var parts segmentReader
	for number := j.first; number < j.next; number += partsPerRead {
		n, err := j.load(ctx, s, &parts, number, min(j.next, number+partsPerRead))
		if err != nil {
			return lost, err
		}
		lost += n
	}
	s.engine.FinishLoad(s.clock.now())
	j.snapshot.dueNow = true // the snapshot replaces damaged segments
	j.logger.Info("State restored", zap.Uint64("parts", j.next-j.first), zap.Uint64("objects", s.engine.Stats().Restored))
	return lost, nil
}

// load loads the parts from first up to end.
func (j *segmentLog) load(ctx context.Context, s *state, parts *segmentReader, first, end uint64) (lost int, err error) {
	operations := make([]*storage.Operation, 0, partsPerRead)
	for number := first; number < end; number++ {
		operations = append(operations, storage.GetOperation(partKey(number)))
	}
	if err := j.client.Batch(ctx, operations...); err != nil {
		return 0, fmt.Errorf("storage: read the state: %w", err)
	}
	for i, operation := range operations {
		entries, err := parts.add(operation.Value)
		if err == nil {
			err = s.engine.Load(entries)
		}
		if err != nil {
			lost++
			j.logger.Error("Stored segment skipped; what changed when it was written is lost: calls may come out partial, or twice",
				zap.Uint64("part", first+uint64(i)), zap.Error(err))
		}
	}
	return lost, nil
}
