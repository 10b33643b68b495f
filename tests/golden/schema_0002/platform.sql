BEGIN TRANSACTION;
CREATE TABLE activity (
	id INTEGER NOT NULL, 
	time DATETIME NOT NULL, 
	what VARCHAR(32) NOT NULL, 
	key_id VARCHAR(12) NOT NULL, 
	agency VARCHAR(100) NOT NULL, 
	"by" VARCHAR(100) NOT NULL, 
	facts JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE alert_messages (
	id VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	alert VARCHAR NOT NULL, 
	time FLOAT NOT NULL, 
	body TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	delivered FLOAT, 
	PRIMARY KEY (id, channel)
);
CREATE TABLE alerts (
	id VARCHAR NOT NULL, 
	use_case VARCHAR NOT NULL, 
	"check" VARCHAR NOT NULL, 
	"column" VARCHAR NOT NULL, 
	"group" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	owner VARCHAR NOT NULL, 
	asks VARCHAR NOT NULL, 
	runbook VARCHAR NOT NULL, 
	es TEXT NOT NULL, 
	en TEXT NOT NULL, 
	value FLOAT, 
	threshold FLOAT, 
	first_week DATE NOT NULL, 
	week DATE NOT NULL, 
	opened DATETIME NOT NULL, 
	seen DATETIME NOT NULL, 
	times INTEGER NOT NULL, 
	reopened INTEGER NOT NULL, 
	run VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE answers_given (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	prediction_id VARCHAR NOT NULL, 
	time DOUBLE NOT NULL, 
	told VARCHAR NOT NULL, 
	horizon INTEGER NOT NULL, 
	as_of VARCHAR NOT NULL, 
	key_id VARCHAR NOT NULL, 
	agency VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	request_id VARCHAR NOT NULL, 
	UNIQUE (prediction_id)
);
INSERT INTO "answers_given" VALUES(1,'019ca9450a7b71ffb83e4c698a4957d8',1.77236640012345695498e+09,'4120efef558ba4e60cfd3c7be483774e',8,'2022-01-05','k1','A','answer','r1');
INSERT INTO "answers_given" VALUES(2,'019ca9450de87f3dbde257a2f178e111',1772366401.0,'515151194e11fbab1c5d63e0e01b4f2d',4,'2022-01-05','k1','A','answer','r1');
INSERT INTO "answers_given" VALUES(3,'019ca94511d076de8eaa5de81dd43d64',1772366402.0,'4120efef558ba4e60cfd3c7be483774e',3,'2022-01-05','k1','A','shadow','r1');
INSERT INTO "answers_given" VALUES(4,'019ca94515b877b694dd400732f6081e',1772366403.0,'4120efef558ba4e60cfd3c7be483774e',2,'2022-01-05','k1','A','answer','r "ñ" \');
CREATE TABLE deployment_slots (
	use_case VARCHAR(64) NOT NULL, 
	slot VARCHAR(16) NOT NULL, 
	tag VARCHAR(128) NOT NULL, 
	share FLOAT NOT NULL, 
	time DATETIME NOT NULL, 
	"by" VARCHAR(100) NOT NULL, 
	PRIMARY KEY (use_case, slot)
);
CREATE TABLE "entities_asked" (
	day VARCHAR(10) NOT NULL, 
	agency VARCHAR(100) NOT NULL, 
	model VARCHAR(128) NOT NULL, 
	entity TEXT NOT NULL, 
	asked BIGINT NOT NULL, 
	PRIMARY KEY (day, agency, model, entity)
);
CREATE TABLE feedback (
	feedback_id VARCHAR NOT NULL, 
	time DATETIME NOT NULL, 
	prediction_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	week_ending VARCHAR, 
	cases INTEGER, 
	comment TEXT NOT NULL, 
	key_id VARCHAR NOT NULL, 
	agency VARCHAR NOT NULL, 
	PRIMARY KEY (feedback_id)
);
INSERT INTO "feedback" VALUES('ddc08c39db8e4940a53a6d084a77878c','2026-03-01 12:00:00.000000','019ca9450a7b71ffb83e4c698a4957d8','observed','2022-01-08',12,'','k1','A');
INSERT INTO "feedback" VALUES('31318b534b854a9d8089cf1f8aa9d537','2026-03-01 12:00:00.000000','019ca9450de87f3dbde257a2f178e111','complaint',NULL,NULL,'Faltan camas.','k1','A');
CREATE TABLE forecasts_told (
	"key" VARCHAR NOT NULL, 
	use_case VARCHAR NOT NULL, 
	model_version VARCHAR NOT NULL, 
	deployment VARCHAR NOT NULL, 
	features_ref VARCHAR NOT NULL, 
	ubigeo VARCHAR NOT NULL, 
	data_as_of VARCHAR NOT NULL, 
	features TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	caveats TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "forecasts_told" VALUES('4120efef558ba4e60cfd3c7be483774e','outbreak','3','outbreak:3','delta:features/outbreak_weekly@2','160101','2022-01-01','{"rain_mm": 12.5}','[{"horizon": 1, "week_ending": "2022-01-01", "median": 1.5}, {"horizon": 2, "week_ending": "2022-01-08", "median": 2.5}, {"horizon": 3, "week_ending": "2022-01-15", "median": 3.5}, {"horizon": 4, "week_ending": "2022-01-22", "median": 4.5}, {"horizon": 5, "week_ending": "2022-01-01", "median": 5.5}, {"horizon": 6, "week_ending": "2022-01-08", "median": 6.5}, {"horizon": 7, "week_ending": "2022-01-15", "median": 7.5}, {"horizon": 8, "week_ending": "2022-01-22", "median": 8.5}]','[{"code": "pooled", "es": "año"}]');
INSERT INTO "forecasts_told" VALUES('515151194e11fbab1c5d63e0e01b4f2d','outbreak','3','outbreak:3','delta:features/outbreak_weekly@2','160201','2022-01-01','{"rain_mm": 12.5}','[{"horizon": 1, "week_ending": "2022-01-01", "median": 1.5}, {"horizon": 2, "week_ending": "2022-01-08", "median": 2.5}, {"horizon": 3, "week_ending": "2022-01-15", "median": 3.5}, {"horizon": 4, "week_ending": "2022-01-22", "median": 4.5}, {"horizon": 5, "week_ending": "2022-01-01", "median": 5.5}, {"horizon": 6, "week_ending": "2022-01-08", "median": 6.5}, {"horizon": 7, "week_ending": "2022-01-15", "median": 7.5}, {"horizon": 8, "week_ending": "2022-01-22", "median": 8.5}]','[{"code": "pooled", "es": "año"}]');
CREATE TABLE keys (
	id VARCHAR(12) NOT NULL, 
	agency VARCHAR(100) NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	scopes JSON NOT NULL, 
	salt BLOB NOT NULL, 
	hash BLOB NOT NULL, 
	old_salt BLOB, 
	old_hash BLOB, 
	old_until DATETIME, 
	quota VARCHAR(32) NOT NULL, 
	rate VARCHAR(32) NOT NULL, 
	created DATETIME NOT NULL, 
	expires DATETIME NOT NULL, 
	revoked DATETIME, 
	last_used DATETIME, 
	PRIMARY KEY (id)
);
CREATE TABLE keys_revision (
	id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE ledger (
	seq INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	subject VARCHAR(200) NOT NULL, 
	line TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "ledger" VALUES(1,'key','ledger.key','{"actor":"","facts":{"public":"874007d724912f137ada5dc5a716a81b7c81f7e78d3709f4c4edfeae4eda86d5","what":"in use"},"kind":"key","previous":"0000000000000000000000000000000000000000000000000000000000000000","seq":1,"subject":"ledger.key","time":"2026-03-01T12:00:00.000Z"}');
INSERT INTO "ledger" VALUES(2,'approve','outbreak@3','{"actor":"","facts":{"by":"test"},"kind":"approve","previous":"b8ffe83f5d3b9816284add04ee0dbf80b9cdaa492b18cbcc56631343a65e6f57","seq":2,"subject":"outbreak@3","time":"2026-03-01T12:00:00.000Z"}');
INSERT INTO "ledger" VALUES(3,'predictions','outbreak','{"actor":"","facts":{"first":"019ca9450a7b71ffb83e4c698a4957d8","last":"019ca9450de87f3dbde257a2f178e111","n":2,"rows":[1,2],"sha256":"101617c58c48880d1557aa0e745b5d5db7a24766ad0c1c443e072c6fe0f3b206"},"kind":"predictions","previous":"3e205654fd2b051cd32c9d7286c325acc81e67d72c1cca734eaf728096955691","seq":3,"subject":"outbreak","time":"2026-11-29T15:32:42.669Z"}');
INSERT INTO "ledger" VALUES(4,'predictions','outbreak','{"actor":"","facts":{"first":"019ca94511d076de8eaa5de81dd43d64","last":"019ca94515b877b694dd400732f6081e","n":2,"rows":[3,4],"sha256":"353d6b764654b91d2410eb2293390321d1b7a9a0472bd783eb049f3e005ed569"},"kind":"predictions","previous":"0127e32a697d2ef67d269d97af75f97d2c0424bc3e87c656fe320cc7d3753727","seq":4,"subject":"outbreak","time":"2026-11-29T15:32:42.684Z"}');
INSERT INTO "ledger" VALUES(5,'resume','outbreak','{"actor":"","facts":{},"kind":"resume","previous":"a49caf17966a4e23fbf0db0cf472193e923a1cf156f5960ec34e05236452af21","seq":5,"subject":"outbreak","time":"2026-11-29T15:32:42.684Z"}');
INSERT INTO "ledger" VALUES(6,'root','2026-03-01','{"actor":"","facts":{"day":"2026-03-01","events":2,"first":1,"root":"0436097f73ca8d798864a4c40f7509d8e34111583df1573e2e4d465567437b34","signature":"eafde2aefbc3e3f2af253e9758102ecd3dbecc960b97c4cf7b4fc476cb8f48099fc179f81b0f09161f50e22cfcf31fdb9c87f8b3626fdbc09c6afa992153b100","type":"root"},"kind":"root","previous":"2c8642898287a8202caeafd9e5cac137ba7e03baaa64f5502fdf965b3f05dba6","seq":6,"subject":"2026-03-01","time":"2026-11-29T15:32:42.684Z"}');
CREATE TABLE log_signs (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE monitor_checks (
	run VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	use_case VARCHAR NOT NULL, 
	week DATE NOT NULL, 
	"check" VARCHAR NOT NULL, 
	"column" VARCHAR NOT NULL, 
	"group" VARCHAR NOT NULL, 
	value FLOAT, 
	threshold FLOAT, 
	state VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	es TEXT NOT NULL, 
	en TEXT NOT NULL, 
	runbook VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	PRIMARY KEY (run, place)
);
CREATE TABLE monitor_runs (
	run VARCHAR NOT NULL, 
	use_case VARCHAR NOT NULL, 
	week DATE NOT NULL, 
	time DATETIME NOT NULL, 
	facts TEXT NOT NULL, 
	PRIMARY KEY (run)
);
CREATE TABLE people (
	account VARCHAR(200) NOT NULL, 
	pseudonym VARCHAR(23) NOT NULL, 
	PRIMARY KEY (account), 
	UNIQUE (pseudonym)
);
CREATE TABLE projects (
	name VARCHAR(64) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	data JSON NOT NULL, 
	models JSON NOT NULL, 
	lock VARCHAR(64) NOT NULL, 
	created DATETIME NOT NULL, 
	changed DATETIME NOT NULL, 
	deleted_on VARCHAR(10) NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE quota_spent (
	key_id VARCHAR(12) NOT NULL, 
	policy VARCHAR(16) NOT NULL, 
	start BIGINT NOT NULL, 
	spent BIGINT NOT NULL, 
	PRIMARY KEY (key_id, policy)
);
CREATE TABLE requests_counted (
	day VARCHAR(10) NOT NULL, 
	key_id VARCHAR(12) NOT NULL, 
	agency VARCHAR(100) NOT NULL, 
	model VARCHAR(128) NOT NULL, 
	scope VARCHAR(64) NOT NULL, 
	status INTEGER NOT NULL, 
	latency INTEGER NOT NULL, 
	n BIGINT NOT NULL, 
	PRIMARY KEY (day, key_id, agency, model, scope, status, latency)
);
CREATE TABLE subjects_revoked (
	id VARCHAR(12) NOT NULL, 
	"before" DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE yupana_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT yupana_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "yupana_schema" VALUES('0002');
CREATE INDEX ix_activity_time ON activity (time);
CREATE INDEX alert_messages_waiting ON alert_messages (delivered, time);
CREATE INDEX ix_alerts_use_case ON alerts (use_case);
CREATE INDEX ix_feedback_prediction_id ON feedback (prediction_id);
CREATE INDEX ix_feedback_time ON feedback (time);
CREATE INDEX ledger_by_kind ON ledger (kind, subject, seq);
CREATE INDEX monitor_checks_trend ON monitor_checks (use_case, "check", "column", "group", week);
CREATE INDEX ix_monitor_runs_use_case ON monitor_runs (use_case);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger WHEN NEW.seq <= (SELECT max(seq) FROM ledger) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('answers_given',4);
COMMIT;
