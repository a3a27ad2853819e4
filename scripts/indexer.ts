#!/usr/bin/env node
/** The command line, as a process. */

import './compile-cache.ts';
import { loadProgram } from './program.ts';
import { handleOutputErrors, runCommand } from './terminal/run-command.ts';

const args = process.argv.slice(2);
const program = await loadProgram(args);
handleOutputErrors(program.name());
await runCommand(program, args);
