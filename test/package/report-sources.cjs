// Loaded before the program: writes the text of every script that is compiled to the file in SOURCES,
// and a line where the program prints for the first time.
const {appendFileSync} = require('node:fs');
const {Session} = require('node:inspector');
const process = require('node:process');

const file = process.env.SOURCES ?? '';
const session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({params: {scriptId, url}}) => {
	if (!url.startsWith('node:') && url !== __filename) {
		session.post('Debugger.getScriptSource', {scriptId}, (_, source) => {
			appendFileSync(file, source.scriptSource);
		});
	}
});
session.post('Debugger.enable');

const {stdout} = process;
const write = stdout.write.bind(stdout);
stdout.write = (/** @type {string} */ text) => {
	appendFileSync(file, `\n--- prints ${JSON.stringify(text)}\n`);
	stdout.write = write;
	return write(text);
};
