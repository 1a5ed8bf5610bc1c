/** Clears what can be scrolled back to (xterm, ED 3). */
const ERASE_SCROLLBACK = '\u001B[3J';

/**
 * The terminal, without the sequence that clears its scrollback. Ink sends it when the terminal
 * becomes smaller than the frame; xterm and tmux then forget the user's lines also behind the
 * alternate screen.
 */
export function keepScrollback(terminal: NodeJS.WriteStream): NodeJS.WriteStream {
	const write = (data: string | Uint8Array, ...rest: never[]) =>
		terminal.write(
			typeof data === 'string' ? data.replaceAll(ERASE_SCROLLBACK, '') : data,
			...rest,
		);
	return new Proxy(terminal, {
		get(target, name) {
			const value = Reflect.get(target, name, target);
			return name === 'write' ? write : typeof value === 'function' ? value.bind(target) : value;
		},
	});
}
