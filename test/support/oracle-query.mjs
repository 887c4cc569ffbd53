// One query in chDB, in a process of its own (its engine holds one data folder a process, and stays clear of
// kafka-javascript's libraries that way). Arguments: a file with the SQL, a file for the result. chDB reads only what lies
// below the working folder.
import { readFile, writeFile } from 'node:fs/promises';
import { queryAsync } from 'chdb';

const [sqlFile, resultFile] = process.argv.slice(2);
const sql = await readFile(sqlFile, 'utf8');
const result = await queryAsync(sql, { format: 'JSONEachRow' });
await writeFile(resultFile, result.bytes());
