package main

import "fmt"

// Log levels, as the host sees them.
const (
	levelDebug = iota
	levelInfo
	levelWarning
	levelError
	levelFatal
)

// raftLogger hands raft's log lines to the host. Fatal and Panic end the instance, as raft expects.
type raftLogger struct{ engine *engine }

func (l raftLogger) emit(level uint32, text func() string) {
	if level >= l.engine.logLevel {
		l.engine.logSink(level, text())
	}
}

func (l raftLogger) end(text string) {
	l.engine.logSink(levelFatal, text)
	panic(text)
}

func line(v []any) func() string { return func() string { return fmt.Sprint(v...) } }
func linef(f string, v []any) func() string {
	return func() string { return fmt.Sprintf(f, v...) }
}

func (l raftLogger) Debug(v ...any)              { l.emit(levelDebug, line(v)) }
func (l raftLogger) Debugf(f string, v ...any)   { l.emit(levelDebug, linef(f, v)) }
func (l raftLogger) Info(v ...any)               { l.emit(levelInfo, line(v)) }
func (l raftLogger) Infof(f string, v ...any)    { l.emit(levelInfo, linef(f, v)) }
func (l raftLogger) Warning(v ...any)            { l.emit(levelWarning, line(v)) }
func (l raftLogger) Warningf(f string, v ...any) { l.emit(levelWarning, linef(f, v)) }
func (l raftLogger) Error(v ...any)              { l.emit(levelError, line(v)) }
func (l raftLogger) Errorf(f string, v ...any)   { l.emit(levelError, linef(f, v)) }
func (l raftLogger) Fatal(v ...any)              { l.end(fmt.Sprint(v...)) }
func (l raftLogger) Fatalf(f string, v ...any)   { l.end(fmt.Sprintf(f, v...)) }
func (l raftLogger) Panic(v ...any)              { l.end(fmt.Sprint(v...)) }
func (l raftLogger) Panicf(f string, v ...any)   { l.end(fmt.Sprintf(f, v...)) }
