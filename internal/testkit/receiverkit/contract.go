// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// ContractFactory returns a factory whose receivers' log records have the id by which
// receivertest.CheckConsumeContract counts them. Records for which idOf returns "" are not
// shown to the checker, such as the quarantine: the checker counts permanently refused records
// as dropped.
func ContractFactory(inner receiver.Factory, idOf func(plog.LogRecord) string) receiver.Factory {
	return receiver.NewFactory(inner.Type(), inner.CreateDefaultConfig, receiver.WithLogs(
		func(ctx context.Context, set receiver.Settings, config component.Config, next consumer.Logs) (receiver.Logs, error) {
			identified, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
				for _, rl := range logs.ResourceLogs().All() {
					for _, sl := range rl.ScopeLogs().All() {
						sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return idOf(lr) == "" })
					}
				}
				for _, lr := range Records([]plog.Logs{logs}) {
					lr.Attributes().PutStr(receivertest.UniqueIDAttrName, idOf(lr))
				}
				if logs.LogRecordCount() == 0 {
					return nil
				}
				return next.ConsumeLogs(ctx, logs)
			}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
			if err != nil {
				return nil, err
			}
			return inner.CreateLogs(ctx, set, config, identified)
		}, inner.LogsStability(),
	))
}
